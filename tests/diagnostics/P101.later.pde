space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { a = b; b = 1 }
equations { dt(u) = a*dxx(u) }
initial { u = sin(2*pi*x) }
