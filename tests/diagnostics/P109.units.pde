space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 5 [m^2/s]*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
