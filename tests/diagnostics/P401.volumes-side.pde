space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = 0 }
initial { u = sin(2*pi*x) }
boundary { x = 0: u + dn(u) = 0; x = 1: u = 0 }
