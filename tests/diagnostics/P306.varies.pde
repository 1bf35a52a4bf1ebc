space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dx((1 - 2*cos(2*pi*x))*dx(u)) }
initial { u = sin(2*pi*x) }
