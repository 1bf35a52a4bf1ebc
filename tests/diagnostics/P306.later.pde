space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = (1/2 - t)*dxx(u) }
initial { u = sin(2*pi*x) }
