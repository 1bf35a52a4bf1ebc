space polar { r in [1, 2]; theta in [0, 2*pi] periodic; z in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0 }
initial { u = 0 }
