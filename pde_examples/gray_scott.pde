pde 1
"Gray-Scott: spots that divide"

space  { x in [0, 2.5] periodic; y in [0, 2.5] periodic }
time   { t in [0, 1000] }
fields { u, v }
params { F = 0.037; k = 0.06; Du = 2e-5; Dv = 1e-5 }
let    { reaction = u*v^2 }

equations {
  [feed] dt(u) = Du*laplacian(u) - reaction + F*(1 - u)
  [kill] dt(v) = Dv*laplacian(v) + reaction - (F + k)*v
}
initial {
  u = 1 - 0.5*box(x, 1.1, 1.4)*box(y, 1.1, 1.4)
  v = 0.25*box(x, 1.1, 1.4)*box(y, 1.1, 1.4) + 0.01*noise(seed=1)
}

solve  { n = [128, 128]; step = etdrk4; dt = 1 }
output { every = 50; plot = heatmap(v) }
expect {
  always max(u) <= 1.05
  always max(v) <= 1
  max(v) >= 0.2               # the pattern lives
}
