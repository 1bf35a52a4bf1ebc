space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { D = 0 }
equations { dt(u) = dxx(u)/D }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
