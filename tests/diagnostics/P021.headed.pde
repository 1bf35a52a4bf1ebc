domain: x in [0, 1] periodic
time = { t in [0, 1] }
fields { u }
PDE: dt(u) = dxx(u)
initial { t = 0: u = sin(2*pi*x) }
