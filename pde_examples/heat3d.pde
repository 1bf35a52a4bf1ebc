pde 1
"Heat in a block: fixed temperature along x, insulated along y, a ring along z"

space  { x in [0, 1]; y in [0, 1]; z in [0, 1] periodic }
time   { t in [0, 0.05] }
fields { T }
params { D = 1 }
let    { decay = exp(-6*pi^2*D*t) }

equations { dt(T) = D*ΔT }
initial   { T = sin(pi*x)*(1 + cos(pi*y)*sin(2*pi*z)) }
boundary  {
  x = 0, x = 1: T = 0
  y = 0, y = 1: dn(T) = 0
}

solve  { n = [32, 32, 32] }
output { every = 0.01 }
expect { T ≈ sin(pi*x)*(exp(-pi^2*D*t) + decay*cos(pi*y)*sin(2*pi*z)) within 1e-4 }
