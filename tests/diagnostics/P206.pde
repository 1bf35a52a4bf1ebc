space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { psi: complex }
equations { i*dt(psi) = -dxx(psi) + max(psi, 0) }
initial { psi = 1 }
