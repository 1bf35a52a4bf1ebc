space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + where(x < 0.5, 1, 2)*dx(u) = 0 }
initial { u = 1 }
boundary { x = 0: u = 1 }
solve { method = fv }
