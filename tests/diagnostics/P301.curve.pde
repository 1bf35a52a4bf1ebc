space { x in [-1, 1]; y in [-1, 1]; inside x^2 + y^2 < 1; [hole] inside x^2 + y^2 > 0.1 }
fields { u }
equations { -laplacian(u) = 1 }
boundary { edge: u = 0, dn(u) = 1 }
train { steps = adam(10) }
