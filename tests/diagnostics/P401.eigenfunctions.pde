space polar { r in [0, 1] }
time   { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.5, kind=integral) }
initial   { u = 1 - r^2 }
boundary  { r = 1: u = 0 }
solve     { step = rk4 }
