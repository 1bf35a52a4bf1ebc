space { x in [0, 1] }
time { t in [1, 2] }
fields { u }
equations { psicaputo(u, t, 0.5, t^2) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { step = cq }
