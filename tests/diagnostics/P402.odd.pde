space polar { r in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = laplacian(u) - u/r^2 }
initial { u = r*(1 - r^2) }
boundary { all: u = 0 }
