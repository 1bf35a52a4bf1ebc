space { x in [2, 3]; y in [-1, 1]; inside x^2 + y^2 < 1 }
fields { u }
equations { -laplacian(u) = 1 }
boundary { all: u = 0 }
train { steps = adam(10) }
