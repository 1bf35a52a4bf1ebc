space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = -0.1*dxxxx(u) }
initial { u = sin(2*pi*x) }
solve { method = fv }
