space { x[1..100] in [0, 1] }
fields { u }
equations { laplacian(u) = 0 }
boundary { all: u = 0 }
