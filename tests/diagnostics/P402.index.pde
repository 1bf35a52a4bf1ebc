space { x[1..100] in [0, 1] }
fields { u }
equations { laplacian(u*laplacian(u)) = 0 }
