space { x in [0, 1]; y in [0, 1] }
fields { u }
equations { dx(u) + u = cos(x) + y }
boundary { x = 0: u = 0 }
solve { n = 128 }
