space { x in [0, 1] }
time {}
fields {}
equations { dt(u) = dxx(u) }
initial { u = 0 }
boundary { all: u = 0 }
