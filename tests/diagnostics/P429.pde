space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dx((1 + 4.5*(1 + tanh((x - 0.5)/0.001)))*dx(u)) + exp(-((x - 0.3)/0.002)^2) }
initial { u = x }
boundary { x = 0: u = 0; x = 1: u = 1 }
solve { n = 64 }
