pde 1
"A free quantum particle, as a plane wave"

space  { x in [0, 2*pi] periodic }
time   { t in [0, 1] }
fields { psi: complex }
params { V = 0 }  # potential; any expression of x in its place makes it a trap

equations { i*dt(psi) = -dxx(psi)/2 + V*psi }
initial   { psi = exp(3*i*x) }

expect {
  psi ≈ exp(i*(3*x - 9*t/2 - V*t)) within 1e-4
  always mean(|psi|^2) <= 1.001  # the probability is conserved
}
