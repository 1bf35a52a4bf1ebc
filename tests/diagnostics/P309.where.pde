space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + dx(where(u < 0.5, 1, 2)*u) }
initial { u = sin(2*pi*x) }
