space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
equations { caputo(u, t, 0.5) = dxx(u) - v; dt(v) = dxx(v) + u }
initial { u = sin(pi*x); v = 0 }
boundary { all: u = 0, v = 0 }
solve { step = l21sigma }
