space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dtt(u) = dxx(u) + dxx(dt(u)) }
initial { u = 0; dt(u) = 0 }
boundary { x = 0: dt(u) + dn(u) = 0; x = 1: u = 0 }
