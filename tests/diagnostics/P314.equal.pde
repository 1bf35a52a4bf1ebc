space { x in [0, 1] }
time { t in [0, 0] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = 0 }
boundary { all: u = 0 }
