space spherical { r in [0, 1] }
time   { t in [0, 1] }
fields { u }
equations { dt(u) = laplacian(u) }
initial   { u = 1 - r^2 }
