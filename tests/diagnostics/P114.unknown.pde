# --set C=2
space { x in [0, 1] }
fields { u }
params { C(x) ~ 1 in [0.5, 2] }
equations { dx(C*dx(u)) + 1 = 0 }
boundary { all: u = 0 }
