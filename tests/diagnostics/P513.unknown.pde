space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { D ~ 0.1 in [0.01, 1] }
equations { dt(u) = D*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { windows = 4 }
