pde 1
"Porous medium equation: Barenblatt's front spreads at a finite speed"

space  { x in [-6, 6] }
time   { t in [1, 3] }
fields { u }
let    { barenblatt = max(1 - x^2/(12*t^(2/3)), 0)/t^(1/3) }

equations { dt(u) = dxx(u^2) }             # the diffusivity 2 u vanishes where u does
initial   { u = barenblatt }
boundary  { all: u = 0 }

solve  { n = 384; order = 2 }
output { every = 0.1 }
expect {
  u ≈ barenblatt within 1e-3
  always integral(u) ≈ 8/sqrt(3) within 1e-4     # the mass (4/3) sqrt(12), up to the kink in the quadrature
}
