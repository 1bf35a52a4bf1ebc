space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) - integral(exp(s - t)*u, s, 0, t) }
initial { u = 0 }
boundary { x = 0: u = 0; x = 1: u = 0 }
