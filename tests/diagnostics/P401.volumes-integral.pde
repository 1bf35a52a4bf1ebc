space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -dx(u^2/2) + u*integral(dx(u)^2) }
initial { u = 2 + sin(2*pi*x) }
solve { method = fv }
