pde 1
"Stokes layer: fluid above a shaking plate, with boundary data that depend on time"

space  { y in [0, 4] }
time   { t in [0, 2*pi] }
fields { u }
params { nu = 0.5; omega = 1 }
let    { q = sqrt(omega/(2*nu)) }

equations { dt(u) = nu*dyy(u) }
initial   { u = exp(-q*y)*cos(q*y) }
boundary  {
  y = 0: u = cos(omega*t)                          # Stokes' second problem
  y = 4: u = exp(-4*q)*cos(omega*t - 4*q)
}

solve  { n = 128 }
expect { u ≈ exp(-q*y)*cos(omega*t - q*y) within 1e-5 }
