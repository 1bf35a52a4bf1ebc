pde 1
"Shallow water: a dam breaks in a closed basin"

space  { x in [0, 1] }
time   { t in [0, 1] }
fields {
  h  # depth
  q  # discharge: depth times velocity
}
params { g = 1 }  # gravity

# in divergence form: shocks run at the speed that conserves h and q
equations {
  dt(h) + dx(q) = 0
  dt(q) + dx(q^2/h + g*h^2/2) = 0
}
initial  { h = where(x < 1/2, 1, 1/4); q = 0 }
boundary { all: dn(h) = 0, q = 0 }  # walls; `dn(h) = 0, dn(q) = 0` would let waves pass

expect {
  always integral(h) ≈ 5/8 within 1e-10
  always min(h) >= 0
}
