pde 1
"Heat through a plate: held at 0 on one edge, insulated on two, cooled by the air on the fourth"

space  { x in [0, 1]; y in [0, 1] }
fields { u }
params { h = 2 }                        # heat transfer to the air
let    { w = x*(1 + x)*cos(pi*y) + x }  # the exact temperature

equations { laplacian(u) = laplacian(w) }

boundary {
  x = 0: u = 0
  x = 1: dn(u) + h*u = d(w, x) + h*w
  y = 0: dn(u) = 0
  y = 1: dn(u) = 0
}

solve  { n = 48 }
expect {
  u ≈ w within 1e-6
  max(u) ≈ 3 within 1e-6
}
