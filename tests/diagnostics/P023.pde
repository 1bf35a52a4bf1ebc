space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { alpha = 0.1 }
equations { dt(u) = \alpha*dxx(u) + np.sin(2*pi*x) - \foo  // of another tool
}
initial { u = Sin[2*pi*x].^2 }
