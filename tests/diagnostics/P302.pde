space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u, v }
equations { dt(u) = dxx(u) + v }
initial { u = sin(2*pi*x) }
