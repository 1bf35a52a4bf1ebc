space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = riesz(u, x, 1.5) }
initial { u = 1 - x }
boundary { x = 0: u = 1; x = 1: u = 0 }
