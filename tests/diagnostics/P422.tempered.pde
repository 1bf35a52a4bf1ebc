space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { tempered(u, t, 0.5, 2) = dxx(u) + sin(pi*x) }
initial { u = 0 }
boundary { all: u = 0 }
solve { n = 2000; dt = 1e-5; step = cq }
