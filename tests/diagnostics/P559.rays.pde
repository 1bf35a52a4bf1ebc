space { x[1..4] in [-1, 1] }
fields { u }
equations { u + fraclap(u, 1/4, kind=integral)^2 = 1 }
boundary { all: u = 0 }
train { steps = adam(100) }
