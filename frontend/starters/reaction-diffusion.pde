pde 1
"Schnakenberg spots: two substances that react and spread at different rates"

space  { x in [0, 50] periodic; y in [0, 50] periodic }
time   { t in [0, 50] }
fields { u, v }
params {
  a  = 0.1  # supply of u
  b  = 0.9  # supply of v
  Du = 1
  Dv = 40  # spots need v to spread much faster than u
}
let { reaction = u^2*v }

equations {
  [activator] dt(u) = Du*laplacian(u) + a - u + reaction
  [substrate] dt(v) = Dv*laplacian(v) + b - reaction
}

# the uniform state, slightly disturbed
initial {
  u = a + b + 0.01*noise(seed=1)
  v = b/(a + b)^2
}

solve  { n = [64, 64] }
output { every = 1; plot = heatmap(u) }
expect { always min(u) >= 0; always min(v) >= 0 }
