"Kirchhoff plate simply supported, sinusoidal load"
space { x in [0, 1]; y in [0, 2] }
fields { w }
params { D = 2 }
equations { D*Δ²w = sin(pi*x)*sin(pi*y/2) }
boundary { all: w = 0, dnn(w) = 0 }
solve { n = 24 }
expect { w ≈ sin(pi*x)*sin(pi*y/2)/(D*(pi^2*1.25)^2) within 1e-4 }
