space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { psi }
equations { i*dt(psi) = -dxx(psi) }
initial { psi = 1 }
