space { x in [-1, 1] }
fields { u }
equations { x*dx(u) + u = 0 }
boundary { x = -1: u = 1 }
