space { x in [-1, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = x*dx(u) }
initial { u = 0 }
boundary { x = 1: u = 0 }
