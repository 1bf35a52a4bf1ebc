space polar { r in [0, 1]; theta in [0, 2*pi] periodic }
time   { t in [0, 1] }
fields { u }
equations { dt(u) = laplacian(u) }
initial   { u = 1 - r^2 }
boundary  { r = 0: dr(u) = 0; r = 1: u = 0 }
