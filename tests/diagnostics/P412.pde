space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = sin(2*pi*x) }
solve { dtype = float32; tol = 1e-9 }
