space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dxx(u) + u(x + 1) }
initial { u = sin(2*pi*x) }
