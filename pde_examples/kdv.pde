pde 1
"Korteweg-de Vries: a soliton runs without changing its shape"

space  { x in [-20, 20] periodic }
time   { t in [0, 2] }
fields { u }
params { kappa = 1 }
let    { soliton(s) = 2*kappa^2*sech(kappa*(x + 4 - 4*kappa^2*s))^2 }

equations { u_t + 6*u*u_x + u_xxx = 0 }
initial   { u = soliton(0) }

solve  { n = 256; tol = 1e-9 }
expect {
  u ≈ soliton(t) within 1e-6
  always integral(u) ≈ 4*kappa within 1e-9                             # mass
  always integral(u^2) ≈ 16/3*kappa^3 within 1e-7                      # momentum
  always integral(u^3 - dx(u)^2/2) ≈ 32/5*kappa^5 within 1e-6          # energy
}
