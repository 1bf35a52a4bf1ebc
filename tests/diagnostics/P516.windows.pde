space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dxx(u) }
initial { u = x^2*(1 - x)^2 }
boundary { x = 0: u = 0; x = 1: dx(u) = -u^4 }
train { steps = adam(1000); hard = on; windows = 2 }
