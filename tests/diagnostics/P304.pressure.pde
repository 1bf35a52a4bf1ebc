space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { U: vector; p }
equations { dt(U) = laplacian(U) - grad(p); div(U) = 0 }
initial { U = (0, 0); p = 0 }
