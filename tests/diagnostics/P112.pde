space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { c = 1 + 2*i }
equations { dt(u) = c*dxx(u) }
initial { u = sin(2*pi*x) }
