space { x in [0, 1] }
time { t in [0, 1] }
fields { p, u }
equations { dt(p) = -dx(u); dt(u) = -dx(p) }
initial { p = cos(pi*x); u = 0 }
boundary { x = 0: u = 0, p = 1 }
