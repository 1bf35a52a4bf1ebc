pde 1
"Viscous Burgers equation: a sine wave steepens into a front"

space  { x in [0, 2*pi] periodic }
time   { t in [0, 2] }
fields { u }
params { nu = 0.01 }

equations { dt(u) + u*dx(u) = nu*dxx(u) }
initial   { u = sin(x) }

solve  { n = 512 }
expect {
  integral(u) ≈ 0 within 1e-10     # the mean is conserved
  always max(|u|) <= 1             # maximum principle, in every frame
  always integral(u^2) <= pi       # energy can only be lost
}
