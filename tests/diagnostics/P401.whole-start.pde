space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { al = 1 }
equations { caputo(u, t, al) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { step = cq }
