pde 1
"Fractional Burgers between walls: steepening against a nonlocal viscosity, with a known solution"

space  { x in [0, pi] }
time   { t in [0, 1] }
fields { u }
params { alpha = 1.5; nu = 0.1 }
let    { f = exp(-t)*(nu - 1)*sin(x) + exp(-2*t)*sin(x)*cos(x) }

equations { u_t + u*u_x = -nu*fraclap(u, alpha/2, kind=spectral) + f }
initial   { u = sin(x) }
boundary  { all: u = 0 }

solve  { n = 64 }
output { every = 0.25 }
expect { u ≈ exp(-t)*sin(x) within 1e-5 }
