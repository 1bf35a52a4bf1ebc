pde 1
"Allen-Cahn: a disc shrinks by its curvature"

space  { x in [-1, 1] periodic; y in [-1, 1] periodic }
time   { t in [0, 0.08] }
fields { u }
params { eps = 0.02; R = 0.6 }

equations { dt(u) = laplacian(u) + (u - u^3)/eps^2 }
initial   { u = tanh((R - sqrt(x^2 + y^2))/(sqrt(2)*eps)) }

solve  { n = [256, 256]; tol = 1e-4 }
output { every = 0.004; plot = heatmap(u) }
expect {
  integral((1 + u)/2) ≈ pi*(R^2 - 2*t) within 1e-2     # sharp-interface law: the area falls at rate 2 pi
  always max(|u|) <= 1.01
}
