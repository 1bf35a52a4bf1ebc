space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { nu = 0.1 }
equations { dt(u) = nuu*dxx(u) }
initial { u = sin(2*pi*x) }
