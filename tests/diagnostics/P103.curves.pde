space { x in [-1, 1]; y in [-1, 1]; [rim] inside x^2 + y^2 < 1; [rim] inside (x - 0.5)^2 + y^2 > 0.04; [rim2] inside (x + 0.5)^2 + y^2 > 0.09 }
fields { u }
equations { laplacian(u) = 1 }
boundary { all: u = 0 }
train { steps = 10 }
