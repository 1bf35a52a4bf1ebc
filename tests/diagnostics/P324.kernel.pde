space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + convolve(u, u) }
initial { u = 0 }
