pde 1
"Taylor-Green vortices: incompressible flow that only friction slows down"

space  { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
time   { t in [0, 1] }
fields {
  U: vector  # components U.x and U.y
  p          # pressure: no dt(p), it keeps the flow free of divergence
}
params { nu = 0.05 }  # viscosity

equations {
  [momentum] ∂t U + (U·∇)U = -∇p + nu*ΔU
  [mass]     ∇·U = 0
}
initial { U = (cos(x)*sin(y), -sin(x)*cos(y)) }

solve  { n = [64, 64] }
expect { U.x ≈ cos(x)*sin(y)*exp(-2*nu*t) within 1e-4 }
