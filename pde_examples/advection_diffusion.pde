pde 1
"A puff of smoke in a rotating wind: advection-diffusion with variable coefficients"

space  { x in [-5, 5]; y in [-5, 5] }
time   { t in [0, pi] }
fields { u }
params { D = 0.02; s0 = 0.5 }
let    {
  wind = (-y, x)                                             # solid rotation
  s2 = s0^2 + 2*D*t                                          # the variance grows
  puff = s0^2/s2*exp(-((x - 2*cos(t))^2 + (y - 2*sin(t))^2)/(2*s2))
}

equations { dt(u) + div(wind*u) = D*laplacian(u) }
initial   { u = puff }
boundary  { all: u = 0 }

solve  { n = [160, 160]; order = 6 }
output { plot = heatmap(u) }
expect {
  u ≈ puff within 1e-3
  integral(u) ≈ 2*pi*s0^2 within 1e-5
}
