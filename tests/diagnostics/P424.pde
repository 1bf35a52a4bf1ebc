space { x in [0, 1] }
fields { u }
equations { dx(u) = where(x < 0.4, 0, 1) }
boundary { x = 0: u = 0 }
