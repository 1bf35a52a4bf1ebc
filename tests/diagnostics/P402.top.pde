space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = 0 }
boundary { x = 0: dt(dn(u)) = -u; x = 1: u = 0 }
