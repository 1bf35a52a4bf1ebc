space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { tempered(u, t, 0.5, t, kind=caputo) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
