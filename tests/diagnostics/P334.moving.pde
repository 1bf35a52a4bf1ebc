space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -fraclap(u, 0.5, kind=spectral, diffusivity=1 + u^2) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
