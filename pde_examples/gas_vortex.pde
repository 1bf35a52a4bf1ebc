pde 1
"A vortex carried by a gas: the Euler equations in two dimensions"

space  { x in [-5, 5] periodic; y in [-5, 5] periodic }
time   { t in [0, 1] }
fields { rho; M: vector; E }        # density, momentum, energy
params { gamma = 1.4; b = 2 }       # b is the strength of the vortex

let {
  p = (gamma - 1)*(E - M·M/(2*rho))
  f(s) = exp((1 - (x - s)^2 - y^2)/2)
  T(s) = 1 - (gamma - 1)*b^2/(8*gamma*pi^2)*f(s)^2      # constant entropy
  density(s) = T(s)^(1/(gamma - 1))
  U = 1 - b/(2*pi)*y*f(0)
  V = b/(2*pi)*x*f(0)
}

equations {
  [mass]     dt(rho) + div(M) = 0
  [momentum] dt(M) + dx(M.x*M/rho) + dy(M.y*M/rho) + grad(p) = 0
  [energy]   dt(E) + div((E + p)*M/rho) = 0
}
initial {
  rho = density(0)
  M = (density(0)*U, density(0)*V)
  E = T(0)^(gamma/(gamma - 1))/(gamma - 1) + density(0)*(U^2 + V^2)/2
}
solve  { n = 40 }
output { every = 0.5 }
expect {
  rho ≈ density(t) within 1e-3         # the wind carries it along x, and it keeps its shape
  always integral(rho) ≈ integral(density(0)) within 1e-9
}
