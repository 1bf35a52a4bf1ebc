pde 1
"Cahn-Hilliard, derived from its free energy"

space  { x in [0, 1] periodic; y in [0, 1] periodic }
time   { t in [0, 0.02] }
fields { c }
params { eps = 0.02 }
let    { F = (c^2 - 1)^2/4 + eps^2/2*dot(grad(c), grad(c)) }   # free-energy density

equations { dt(c) = laplacian(vary(F, c)) }
initial   { c = 0.05*noise(seed=7) }

solve  { n = [128, 128]; tol = 1e-4 }
output { every = 0.002; plot = heatmap(c) }
expect {
  mean(c) ≈ 0 within 1e-10         # the amount of each phase is conserved
  always max(|c|) <= 1.1
  max(c) >= 0.9                    # the phases have separated
  integral(F) <= 0.2               # and most of the free energy is gone
}
