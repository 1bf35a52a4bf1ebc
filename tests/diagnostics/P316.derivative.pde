space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = d(sin(u)^64, x, 16) }
initial { u = sin(2*pi*x) }
