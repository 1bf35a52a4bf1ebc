space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + 2^10^10 }
initial { u = sin(2*pi*x) }
