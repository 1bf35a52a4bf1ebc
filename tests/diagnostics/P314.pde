space { x in [1, 0] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dxx(u) }
initial { u = sin(2*pi*x) }
