pde 1
"Tempered subdiffusion: a memory that fades like e^(-rate t)"

space  { x in [0, pi] }
time   { t in [0, 1] }
fields { u }
params { alpha = 0.6; rate = 2; D = 1 }

equations {
  tempered(u, t, alpha, rate, kind=caputo) = D*dxx(u)
}
initial  { u = sin(x) }
boundary { all: u = 0 }

solve  { n = 32; tol = 1e-4; step = cq }
expect { u ≈ exp(-rate*t)*mittag_leffler(alpha, -D*t^alpha)*sin(x) within 1e-3 }   # the exact solution
