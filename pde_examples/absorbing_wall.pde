pde 1
"A pulse leaves a box whose walls absorb what travels outwards"

space  { x in [0, 1] }
time   { t in [0, 1] }
fields { u }
let    { pulse = exp(-150*(x - 0.4 - t)^2) }

equations { dtt(u) = dxx(u) }
initial   { u = pulse; dt(u) = 300*(x - 0.4)*exp(-150*(x - 0.4)^2) }
boundary  { all: dt(u) + dn(u) = 0 }

solve  { n = 200 }
output { every = 0.02 }
expect {
  t = 0.5: u ≈ pulse within 1e-3           # half of it is gone
  max(|u|) <= 1e-3                         # nothing came back
}
