pde 1
"A dam breaks in a closed basin: shallow water, a bore and a rarefaction, then waves off the walls"

space  { x in [0, 1] }
time   { t in [0, 1] }
fields {
  h  # depth
  q  # discharge
}
params { g = 1 }

equations {
  dt(h) + dx(q) = 0
  dt(q) + dx(q^2/h + g*h^2/2) = 0
}
initial  { h = where(x < 1/2, 1, 1/4); q = 0 }
boundary { all: dn(h) = 0, q = 0 }  # walls

solve  { n = 400 }
output { plot = spacetime(h) }
expect {
  t = 0.2: h ≈ where(x < 1/2 - t, 1, where(x < 1/2 - 0.22839*t, (2 - (x - 1/2)/max(t, 1e-9))^2/9, where(x < 1/2 + 0.9406*t, 0.55175, 1/4))) within 0.02
  always integral(h) ≈ 5/8 within 1e-12
  always min(h) >= 0
}
