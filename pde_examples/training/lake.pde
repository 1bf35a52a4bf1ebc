pde 1
"Poisson's equation on a lake with an island, by a network"

space {
  x in [-1, 1]; y in [-1, 1]
  inside x^2 + 2*y^2 < 0.9
  [island] inside (x - 0.3)^2 + y^2 > 0.04
}
fields { u }
let    { exact = sin(2*x)*cos(y) }

equations { -laplacian(u) = 5*exact }
boundary  {
  edge: u = exact
  island: dn(u) + u = dn(exact) + exact
}

train  { model = mlp(width=24, depth=2); steps = lm(40) }
expect { u ≈ exact within 1e-3 }
