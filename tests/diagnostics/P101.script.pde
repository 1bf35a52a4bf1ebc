space { x in [0, 1] }
time { t in [0, 1] }
fields { у }
equations { dt(y) = dxx(y) }
initial { у = 0 }
boundary { all: у = 0 }
