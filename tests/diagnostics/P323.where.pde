space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = x }
boundary { x = 0: dn(u) + where(dn(u) > 1, 1, 0) = 1; x = 1: u = 1 }
