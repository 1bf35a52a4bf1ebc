space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { D = 0.1 }
params { k = 2 }
equations { dt(u) = D*dxx(u) - k*u }
initial { u = sin(2*pi*x) }
