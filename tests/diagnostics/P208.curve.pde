space { x in [-1, 1]; y in [-1, 1]; inside x^2 + y^2 < 1 }
fields { u }
equations { -laplacian(u) = 1 }
boundary { edge: dn(u) = i*u }
train { steps = adam(10) }
