space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { d = 2; k = 1 }
equations { dt(u) = d*dxx(u) + k*d(u, x) + d }
initial { u = d*sin(pi*x) }
boundary { all: u = 0 }
