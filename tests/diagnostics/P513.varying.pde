space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { vocaputo(u, t, 0.5+0.3*x) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train { trial = on }
