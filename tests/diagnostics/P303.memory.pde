space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { caputo(u, t, 1.5) = dxx(u) }
initial { u = sin(2*pi*x) }
