space { x in [0, 1] periodic; y in [0, 1] periodic }
fields { u }
equations { dx(u) + dy(u) = cos(2*pi*x) }
solve { method = fd }
