pde 1
"A steady temperature with a conductivity that grows with it, and a source that balances it"

space  { x in [0, 1]; y in [0, 1] }
fields { u }
let    { w = 1 + sin(pi*x)*sin(pi*y)*exp(-x) }  # the exact solution

equations { div((1 + u^2)*grad(u)) = div((1 + w^2)*grad(w)) }
boundary  { all: u = 1 }
initial   { u = 1 }  # where the iteration begins

solve  { n = 48 }
expect {
  u ≈ w within 1e-5
  min(u) >= 1 - 1e-9
}
