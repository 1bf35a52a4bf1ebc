space polar { r in [0, 1]; theta in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = laplacian(u) }
initial { u = 0 }
boundary { all: u = 0 }
