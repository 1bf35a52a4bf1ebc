space { x in [0, 2*pi] periodic; y in [0, 1] }
fields { u }
equations { dx(u) = cos(x) }
