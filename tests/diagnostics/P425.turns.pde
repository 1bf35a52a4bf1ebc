space { x in [0, 1]; y in [0, 1] }
fields { u }
equations { (u - 1)*dx(u) + dy(u) = 1 }
boundary { x = 0: u = 2; y = 0: u = 2 }
initial { u = x + 1/2 }
