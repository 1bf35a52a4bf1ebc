space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -dx(u) }
initial { u = sin(2*pi*x) }
solve { n = 64; step = rk4; dt = 0.5 }
