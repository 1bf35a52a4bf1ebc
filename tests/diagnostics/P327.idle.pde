space { x in [-1, 1]; y in [-1, 1]; inside x + y < 5 }
fields { u }
equations { -laplacian(u) = 1 }
boundary { all: u = 0 }
train { steps = adam(10) }
