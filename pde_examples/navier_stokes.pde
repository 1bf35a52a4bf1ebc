pde 1
"A vortex lattice carried by a uniform wind: incompressible Navier-Stokes, exact solution known"

space  { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
time   { t in [0, 2] }
fields {
  U: vector
  p: scalar
}
params { nu = 0.01 }

equations {
  [momentum] ∂t U + (U·∇)U = -∇p + nu*ΔU
  [mass]     ∇·U = 0                        # p has no dt(p): it is the multiplier of this constraint
}
initial { U = (1 + sin(x)*cos(y), 1/2 - cos(x)*sin(y)) }

solve  { n = [64, 64]; tol = 1e-8 }
output { plot = vectors(U) }
expect {
  U.x ≈ 1 + sin(x - t)*cos(y - t/2)*exp(-2*nu*t) within 1e-6
  U.y ≈ 1/2 - cos(x - t)*sin(y - t/2)*exp(-2*nu*t) within 1e-6
  p ≈ (cos(2*(x - t)) + cos(2*(y - t/2)))/4*exp(-4*nu*t) within 1e-6
  always max(|div(U)|) ≈ 0 within 1e-10
}
