pde 1
"FitzHugh-Nagumo: a nerve pulse runs around a ring"

space  { x in [0, 240] periodic }
time   { t in [0, 400] }
fields { u; w }
params { a = 0.1; eps = 0.01; gamma = 2 }

equations {
  [voltage]  dt(u) = dxx(u) + u*(1 - u)*(u - a) - w
  [recovery] dt(w) = eps*(u - gamma*w)
}
initial {
  u = 1/(1 + exp((x - 120)/2))/(1 + exp((90 - x)/2))
  w = 0.3/(1 + exp((x - 100)/3))/(1 + exp((70 - x)/3))   # what lies behind cannot fire
}

solve  { n = 512 }
output { every = 4 }
expect {
  integral(u) ≈ gamma*integral(w) within 1e-3    # true of every wave that travels unchanged
  max(u) > 0.8                                   # it is alive
  always min(u) >= -0.5
}
