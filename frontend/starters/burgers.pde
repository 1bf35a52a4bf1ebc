pde 1
"Viscous Burgers equation: a wave steepens until viscosity stops it"

space  { x in [0, 2*pi] periodic }
time   { t in [0, 1.5] }
fields { u }
params { nu = 0.05 }  # viscosity; try less of it, with more points

equations { dt(u) + u*dx(u) = nu*dxx(u) }
initial   { u = sin(x) }

output { plot = spacetime(u) }
expect {
  integral(u) ≈ 0 within 1e-8
  always max(|u|) <= 1  # maximum principle
}
