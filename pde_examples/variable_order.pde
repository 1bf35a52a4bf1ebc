pde 1
"A memory that fades: the order of the derivative falls with time"

space  { x in [0, pi] }
time   { t in [0, 1] }
fields { u }
let    { a = 0.8 - 0.4*t }

equations {
  vocaputo(u, t, a) = dxx(u) + (2*t^(2 - a)/gamma(3 - a) + t^2)*sin(x)
}
initial  { u = 0 }
boundary { all: u = 0 }

solve  { n = 32; dt = 0.005 }
expect { u ≈ t^2*sin(x) within 1e-3 }
