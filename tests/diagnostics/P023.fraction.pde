space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = ½*dxx(u) + 1¾u }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
