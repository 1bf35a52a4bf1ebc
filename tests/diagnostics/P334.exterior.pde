space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.6, kind=integral, exterior=u) }
initial { u = 0 }
boundary { all: u = 0 }
