pde 1
"Subdiffusion: a Caputo derivative of order alpha in time"

space  { x in [0, pi] }
time   { t in [0, 1] }
fields { u }
params { alpha = 0.6; D = 1 }

equations {
  caputo(u, t, alpha) = D*dxx(u)
}
initial  { u = sin(x) }
boundary { all: u = 0 }

solve  { n = 32 }
expect { u ≈ mittag_leffler(alpha, -D*t^alpha)*sin(x) within 1e-4 }   # the exact solution
