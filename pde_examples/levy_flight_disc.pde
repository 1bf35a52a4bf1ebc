pde 1
"Levy flights in a disc that leave it for good beyond the edge"

space polar { r in [0, 1] }
time   { t in [0, 0.5] }
fields { u }
params { s = 0.5; k = 0.3 }

# A jump ends anywhere in the plane: the field is zero outside. What leaves is fed back by a source; the exact
# field follows from the closed form of (-Δ)^s (1 - r^2)^(1+s) in two dimensions.
equations {
  dt(u) = -fraclap(u, s, kind=integral) + k*u*(1 - u) +
          exp(-t)*4^s*gamma(s + 2)*gamma(1 + s)*(1 - (1 + s)*r^2) -
          (1 + k)*exp(-t)*(1 - r^2)^(1 + s) +
          k*exp(-2*t)*(1 - r^2)^(2 + 2*s)
}
initial   { u = (1 - r^2)^(1 + s) }
boundary  { r = 1: u = 0 }

solve  { n = 48; dt = 0.01 }
expect { u ≈ exp(-t)*(1 - r^2)^(1 + s) within 1e-8 }
