space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = (1 + x)*dxx(u) + exp(x) - x*u^2 }
initial { u = sin(2*pi*x) }
