pde 1
"Between diffusion and waves: a Caputo derivative of order 3/2 in time"

space  { x in [0, pi] }
time   { t in [0, 4] }
fields { u }
params { alpha = 3/2; c = 1 }

equations {
  caputo(u, t, alpha) = c^2*dxx(u)
}
initial  { u = sin(x); dt(u) = 0 }
boundary { all: u = 0 }

solve  { n = 32 }
expect { u ≈ mittag_leffler(alpha, -c^2*t^alpha)*sin(x) within 1e-4 }   # the exact solution
