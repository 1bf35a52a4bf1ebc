pde 1
"Inviscid Burgers: a wave breaks, and its shock runs on at the mean of the states beside it"

space  { x in [0, 1] periodic }
time   { t in [0, 0.5] }
fields { u }

equations { dt(u) + u*dx(u) = 0 }
initial   { u = sin(2*pi*x) + 1/2 }

solve  { n = 400 }  # a law of first order in divergence form: finite volumes
output { plot = spacetime(u) }
expect {
  always integral(u) ≈ 1/2 within 1e-12
  always max(u) <= 3/2
  always min(u) >= -1/2
}
