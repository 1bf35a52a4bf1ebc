space { x in [0, 1] }
time { t in [1, 2] }
fields { u }
equations { tempered(u, t, 0.5, 2) = dxx(u) + sin(pi*x) }
initial { u = 0 }
boundary { all: u = 0 }
solve { step = cq; memory = sum_of_exponentials }
