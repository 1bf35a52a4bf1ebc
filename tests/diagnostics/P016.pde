space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + max(x > 0.5, 0) }
initial { u = sin(2*pi*x) }
