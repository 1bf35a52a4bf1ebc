pde 1
"Allen-Cahn with a nonlocal term that conserves the mass: drops coarsen"

space  { x in [-1, 1] periodic; y in [-1, 1] periodic }
time   { t in [0, 0.2] }
fields { u }
params { eps = 0.08 }

equations { dt(u) = laplacian(u) + (u - u^3 - mean(u - u^3))/eps^2 }
initial   { u = 0.2 + 0.4*sin(pi*x)*sin(pi*y) + 0.3*cos(2*pi*x)*cos(pi*y) }

solve  { n = [64, 64]; tol = 1e-5 }
output { every = 0.005; plot = heatmap(u) }
expect {
  always integral(u) ≈ 0.8 within 1e-12
  always max(|u|) <= 1.1
}
