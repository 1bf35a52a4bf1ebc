space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { D = 5 mm }
equations { dt(u) = D*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
