space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
solve { n = 64 }
solve { order = 4 }
equations { dt(u) = dxx(u) }
initial { u = sin(2*pi*x) }
