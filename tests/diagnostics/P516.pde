space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dxx(u) }
initial { u = 1 }
boundary { x = 0: u = 0; x = 1: dx(u) = 0 }
train { steps = adam(1000); hard = on }
