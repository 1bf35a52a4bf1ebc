space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) + gamma(10^9) }
initial { u = sin(2*pi*x) }
