space { x in [-1, 1]; y in [-1, 1]; inside sqrt(x) + y^2 < 0.5 }
fields { u }
equations { laplacian(u) = 1 }
boundary { all: u = 0 }
train { steps = 10 }
