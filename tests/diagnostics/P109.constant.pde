space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { D = 1 }
equations { dt(u) = dx(D*u) + dx(D) }
initial { u = sin(2*pi*x) }
