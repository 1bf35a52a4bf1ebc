space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { psicaputo(u, t, 0.5, log(t)) = dxx(u) }
initial { u = 0 }
boundary { all: u = 0 }
