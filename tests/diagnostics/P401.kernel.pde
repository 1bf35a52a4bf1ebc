space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = integral(exp(-(x - y)^2)*u, y, 0, 1) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { method = fv }
