space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = d(d(u, x, 10), x, 8) }
initial { u = sin(2*pi*x) }
