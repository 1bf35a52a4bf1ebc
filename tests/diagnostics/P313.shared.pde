space { x in [0, 1] }
fields { u, v }
equations { dx(u) = v; dx(v) = -u }
boundary { x = 0: u = 0; x = 1: u = sin(1) }
