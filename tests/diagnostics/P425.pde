space { x in [0, 1] }
fields { u }
equations { u*dx(u) = 1 }
boundary { x = 0: u = 1 }
