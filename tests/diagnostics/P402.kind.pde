space { x in [0, 1]; y in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.6, kind=integral, support=ball) }
initial { u = 0 }
