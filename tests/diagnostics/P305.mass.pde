space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) + dxx(dt(u)) = -u }
initial { u = cos(x) }
