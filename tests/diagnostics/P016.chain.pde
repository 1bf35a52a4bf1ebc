space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = where(0.2 < x < 0.7, 1, 0) }
boundary { all: u = 0 }
