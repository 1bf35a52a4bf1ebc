space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { caputo(u, t, 0.8) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { step = l1; tol = 1e-8 }
