space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { a ~ 0.5 in [0.2, 0.8] }
equations { caputo(u, t, a) = 0.1*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { trial = on }
