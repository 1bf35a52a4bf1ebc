space { x in [0, 1]; y in [0, 1] }
fields { u }
equations { dx(u) + (x - 1/2)*dy(u) = -u }
boundary { x = 0: u = 1; y = 1: u = 1 }
