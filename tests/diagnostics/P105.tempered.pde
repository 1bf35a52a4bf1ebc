space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { tempered(u, t, 0.5, 2, kind=riesz) = dxx(u) }
initial { u = 0 }
boundary { all: u = 0 }
