space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u: vectr }
equations { dt(u) = 0.1*laplacian(u) }
initial { u = grad(sin(2*pi*x)) }
