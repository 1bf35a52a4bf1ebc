space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { caputo(u, t, 0.5) = 0.1*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { windows = 4 }
