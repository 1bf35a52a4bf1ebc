space { x in [-1, 1]; y in [-1, 1]; inside x^2 + y^2 < 1 }
fields { u }
equations { -laplacian(u) = 1 }
boundary { inside: u = 0 }
train { steps = adam(10) }
