space { x in [0, 1] }
time { t in [0, 1] }
fields { psi: complex }
equations { i*dt(psi) = -dxx(psi) }
initial { psi = sin(2*pi*x) }
boundary { x = 0: psi = 0; x = 1: psi = 1 }
