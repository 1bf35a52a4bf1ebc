space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { C(x) ~ 0.5 in [0.1, 2] }
equations { dt(u) = C*dxx(u) }
initial { u = sin(2*pi*x) }
