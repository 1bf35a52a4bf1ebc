space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { e = 0.1 }
equations { dt(u) = e*dxx(u) }
initial { u = sin(2*pi*x) }
