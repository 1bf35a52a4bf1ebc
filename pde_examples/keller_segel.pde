pde 1
"Chemotaxis in a closed dish: cells follow the signal they make (Keller and Segel, elliptic signal)"

space  { x in [0, 1]; y in [0, 1] }
time   { t in [0, 0.5] }
fields { u; c }
params { chi = 4 }  # below the mass at which cells aggregate in finite time

equations {
  [cells]  dt(u) = laplacian(u) - chi*div(u*grad(c))
  [signal] 0 = laplacian(c) - c + u
}

initial  { u = 1 + 0.5*cos(pi*x)*cos(pi*y) }
boundary { all: dn(u) = 0, dn(c) = 0 }

solve  { n = 32 }
output { every = 0.05 }
expect {
  integral(u) ≈ 1 within 1e-3
  integral(c) ≈ integral(u) within 1e-3
  always min(u) >= 0
  t = 0: c ≈ 1 + 0.5*cos(pi*x)*cos(pi*y)/(1 + 2*pi^2) within 1e-4
  max(u) <= 1.05
}
