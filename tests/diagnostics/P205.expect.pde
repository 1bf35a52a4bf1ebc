space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { U: vector }
equations { dt(U) = laplacian(U) }
initial { U = (sin(2*pi*y), 0) }
expect { U <= 1; U ≈ 1; U ≈ 0 within 2 }
