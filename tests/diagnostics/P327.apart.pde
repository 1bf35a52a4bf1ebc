space { x in [-1, 1]; y in [-1, 1]; [strips] inside x^2 > 0.25; [half] inside x > 0 }
fields { u }
equations { laplacian(u) = 1 }
boundary { all: u = 0 }
train { steps = 10 }
