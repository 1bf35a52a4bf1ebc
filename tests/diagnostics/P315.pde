space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = d(u, x, 20) }
initial { u = sin(2*pi*x) }
