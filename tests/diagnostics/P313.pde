space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = cos(9*t)*dx(u) }
initial { u = 0 }
boundary { x = 1: u = 0 }
