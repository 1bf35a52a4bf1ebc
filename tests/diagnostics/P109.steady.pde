space { x in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
boundary { all: u = 0 }
