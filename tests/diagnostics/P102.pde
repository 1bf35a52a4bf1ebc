space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { u = 0.1 }
equations { dt(u) = u*dxx(u) }
initial { u = sin(2*pi*x) }
