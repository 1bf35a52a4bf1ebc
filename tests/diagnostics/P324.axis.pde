space { x in [0, 1]; y in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + integral(exp(x - z)*u, z, 0, 1) }
initial { u = 0 }
boundary { x = 0: u = 0; x = 1: u = 0 }
