space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { a = 1 }
equations { tempered(u, t, a, 2) = dxx(u) }
initial { u = 0 }
boundary { all: u = 0 }
