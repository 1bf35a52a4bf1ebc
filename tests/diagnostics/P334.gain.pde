space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.5, kind=spectral) }
initial { u = sin(pi*x) }
boundary { x = 0: u = 0; x = 1: dn(u) - u = 0 }
