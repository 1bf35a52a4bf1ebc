space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = fraclap(u, 0.6, kind=integral) }
initial { u = 0 }
boundary { x = 0: u = 0; x = 1: dn(u) = 0 }
