pde 1
"Gray-Scott: a spot grows into a pattern"

space  { x in [0, 1.25] periodic; y in [0, 1.25] periodic }
time   { t in [0, 2000] }
fields { u, v }
params { F = 0.037; k = 0.06; Du = 2e-5; Dv = 1e-5 }
let    {
  reaction = u*v^2
  spot     = exp(-((x - 0.625)^2 + (y - 0.625)^2)/0.01)
}

equations {
  [feed] dt(u) = Du*laplacian(u) - reaction + F*(1 - u)
  [kill] dt(v) = Dv*laplacian(v) + reaction - (F + k)*v
}
initial {
  u = 1 - spot/2
  v = spot/4*(1 + 0.2*noise(seed=1))
}

solve  { n = [128, 128]; step = etdrk4; dt = 2; dealias = 2/3 }
output { every = 100; plot = heatmap(v) }
expect {
  always max(u) <= 1.05
  always max(v) <= 1
  max(v) >= 0.2               # the pattern lives
}
