space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + dx(u) = 1e-4*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { order = 8; n = 100 }
