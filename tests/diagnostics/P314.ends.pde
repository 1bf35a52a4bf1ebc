space { x in [0, 1, 2] }
time { t in [0, 1] periodic }
fields { u }
equations { dt(u) = 0.1*dxx(u) }
initial { u = sin(2*pi*x) }
