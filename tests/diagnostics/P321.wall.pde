space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { k = 0 }
equations { dt(u) = dxx(u) }
initial { u = 1 }
boundary { x = 0: u = 1/k; x = 1: u = exp(-t)/t }
