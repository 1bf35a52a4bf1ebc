space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.5, kind=integral) }
initial { u = 0 }
