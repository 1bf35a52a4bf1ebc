space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { caputo(u, t, 1.5) = dxx(u) }
initial { u = sin(pi*x); dt(u) = 0 }
boundary { all: u = 0 }
solve { step = l21sigma }
