space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { U: vector }
equations { dt(U) = grad(cross(U, U)) }
initial { U = grad(x) }
