pde 1
"Korteweg-de Vries: a soliton, by a network on periodic coordinates"

space  { x in [-10, 10] periodic }
time   { t in [0, 1] }
fields { u }
let    { soliton(s) = 2*sech(x + 2 - 4*s)^2 }

equations { u_t + 6*u*u_x + u_xxx = 0 }
initial   { u = soliton(0) }

train  { model = mlp(width=20, depth=3, harmonics=6); steps = lm(100) }
expect {
  u ≈ soliton(t) within 2e-3
  integral(u) ≈ 4 within 1e-2          # mass
}
