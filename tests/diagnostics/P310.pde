space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dx(u^2) = 2*u*dx(u) }
initial { u = sin(2*pi*x) }
