space { x in [-1, 1]; y in [-1, 1]; inside |x| + |y| < 1 }
fields { u }
equations { -laplacian(u) = 1 }
boundary { edge: dn(u) = 1 }
train { steps = adam(10) }
