space { x in [0, 1]; inside x < 0.5 }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*dxx(u) }
initial { u = sin(2*pi*x) }
