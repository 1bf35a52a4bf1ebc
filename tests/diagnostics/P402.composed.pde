space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { caputo(caputo(u, t, 0.5), t, 0.5) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { steps = adam(10) }
