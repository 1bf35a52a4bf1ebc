space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { psicaputo(u, t, 1.5, t^2) = dxx(u) }
initial { u = sin(pi*x); dt(u) = 0 }
boundary { all: u = 0 }
