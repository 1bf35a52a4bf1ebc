pde 1
"Nonlinear Schrodinger equation: a bright soliton in motion"

space  { x in [-8*pi, 8*pi] periodic }
time   { t in [0, 10] }
fields { psi: complex }
params { v = 0.5 }
let    { soliton(s) = sech(x + 5/2 - v*s)*exp(i*(v*x + (1 - v^2)*s/2)) }

equations { i*psi_t = -psi_xx/2 - |psi|^2*psi }
initial   { psi = soliton(0) }

solve  { n = 256; tol = 1e-8 }
expect {
  psi ≈ soliton(t) within 1e-5
  always integral(|psi|^2) ≈ 2 within 1e-7                        # mass
  always integral(im(conj(psi)*dx(psi))) ≈ 2*v within 1e-6        # momentum
}
