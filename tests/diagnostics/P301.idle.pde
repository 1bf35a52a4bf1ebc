space { x in [0, 1]; y in [0, 1] }
time { t in [0, 1] }
fields { u, v }
equations { dt(u) = laplacian(u); dt(v) = dxx(v) }
initial { u = 0; v = 0 }
boundary { all: u = 0; x = 0, x = 1: v = 0; y = 0: v = 1 }
