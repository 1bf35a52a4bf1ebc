space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = riesz(u, x, 1.5) }
initial { u = sin(pi*x)^4 }
boundary { all: u = 0 }
solve { n = 64; step = rk4; dt = 0.01 }
