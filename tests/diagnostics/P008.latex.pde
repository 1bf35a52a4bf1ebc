space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + sqrt(-1)*u }
initial { u = \sin(\pi x) }
boundary { all: u = 0 }
