space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = (exp(i*pi*x) - exp(-i*pi*x))/(2*i) }
boundary { x = 0: u = i*t; x = 1: u = 0 }
