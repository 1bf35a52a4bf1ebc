space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + dx(u)/x }
initial { u = 0 }
boundary { all: u = 0 }
