space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { k = 0 }
equations { dt(u) = dxx(u) }
initial { u = 1 }
boundary { x = 0: k*u = 1; x = 1: k*dn(u) + u = 1 }
