pde 1
"Phases that separate with memory: the time-fractional Allen-Cahn equation"

space  { x in [0, 2*pi] periodic }
time   { t in [0, 4] }
fields { u }
params { alpha = 0.8; eps = 0.3 }

equations {
  caputo(u, t, alpha) = eps^2*dxx(u) + u - u^3
}
initial  { u = 0.1*cos(x) + 0.1*sin(2*x) }

solve  { n = 48 }
output { every = 0.2 }
expect {
  always max(abs(u)) <= 1
  abs(mean(u)) <= 1e-10
  mean(u^2) ≈ 0.481787 within 5e-4   # what convolution quadrature converges to
}
