pde 1
"Levy flights: a fractional Laplacian damps each wave at its own rate"

space  { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
time   { t in [0, 1] }
fields { u }
params { alpha = 1.5; K = 0.5 }

equations { u_t = -K*(-Δ)^(alpha/2) u }
initial   { u = 1 + sin(x) + cos(3*x + 4*y) }

solve  { n = [64, 64] }
expect {
  u ≈ 1 + sin(x)*exp(-K*t) + cos(3*x + 4*y)*exp(-K*5^alpha*t) within 1e-10
}
