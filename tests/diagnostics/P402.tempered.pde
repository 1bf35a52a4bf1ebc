space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { tempered(u, t, 1.5, 2) = dxx(u) }
initial { u = 0; dt(u) = 0 }
boundary { all: u = 0 }
