space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.6, kind=integral, exterior=1 + x) }
initial { u = 1 + x }
boundary { x = 0: u = 1; x = 1: u = 3 }
