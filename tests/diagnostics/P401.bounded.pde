space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { cf(u, t, 0.5) = dxx(u) + t*sin(pi*x) }
initial { u = 0 }
boundary { all: u = 0 }
solve { step = cq }
