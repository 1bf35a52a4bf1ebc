space { x[1..1000] in [-1, 1] }
fields { u }
equations { laplacian(u)^2 + u = 1 }
boundary { all: u = 0 }
train { steps = adam(100) }
