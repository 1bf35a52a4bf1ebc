space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = 0.1*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { model = mlp(width=8, depth=2, activation=relu); steps = adam(10) }
