space { x in [-1, 1]; y in [-1, 1]; inside x^2 + y^2 < 1 - t/2 }
time { t in [0, 1] }
fields { u }
equations { dt(u) = laplacian(u) }
initial { u = 0 }
boundary { all: u = 0 }
train { steps = adam(10) }
