space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { alpha ~ 0.8 in [0.5, 1.5] }
equations { dt(u) = -fraclap(u, alpha) }
initial { u = sin(2*pi*x) }
