pde 1
"Burgers' equation with memory, forced so that its solution is known"

space  { x in [0, 2*pi] periodic }
time   { t in [0, 1] }
fields { u }
params { alpha = 0.7; nu = 0.1 }
let    { w = (1 + t^alpha)*sin(x) }

equations {
  caputo(u, t, alpha) + u*dx(u) = nu*dxx(u) + gamma(1 + alpha)*sin(x) + w*dx(w) - nu*dxx(w)
}
initial  { u = sin(x) }

solve  { n = 16 }
output { every = 0.1 }
expect { u ≈ (1 + t^alpha)*sin(x) within 1e-4 }
