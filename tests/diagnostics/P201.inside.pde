space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { U: vector }
equations { dt(U) = 2*(U + 1) }
initial { U = (sin(2*pi*y), 0) }
