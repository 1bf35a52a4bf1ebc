space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { k = 2 }
equations { dt(u) = dxx(u) + u/kx }
initial { u = sin(πx) }
boundary { all: u = 0 }
