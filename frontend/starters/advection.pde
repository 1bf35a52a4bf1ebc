pde 1
"A profile carried around a ring"

space  { x in [0, 1] periodic }
time   { t in [0, 1] }
fields { u }
params { c = 1 }  # speed

equations { dt(u) + c*dx(u) = 0 }
initial   { u = sin(2*pi*x) }

expect {
  u ≈ sin(2*pi*(x - c*t)) within 1e-3
  integral(u) ≈ 0 within 1e-8  # nothing is lost on the way
}
