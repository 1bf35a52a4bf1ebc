pde 1
"Heated plate, one side hot, one side losing heat to air"

space  { x in [0, 2]; y in [0, 1] }
time   { t in [0, 5] }
fields { T }
params {
  k = 0.2                   # conductivity
  h = 3.0                   # heat transfer to air
  T_air = 20
}
let {
  r2   = (x - 1)^2 + (y - 0.5)^2
  q(s) = 50*exp(-s/0.02)
}

equations { dt(T) = div(k*grad(T)) + q(r2)*cos(t)^2 }
initial   { T = T_air + 80*exp(-20*x) }         # agrees with every boundary at t = 0
boundary  {
  x = 0:         T = 100                        # Dirichlet
  x = 2:         k*dn(T) = -h*(T - T_air)       # Robin: dn is the outward normal derivative
  y = 0, y = 1:  dn(T) = 0                      # insulated
}

solve  { n = [128, 64]; step = implicit }
output { every = 0.1; plot = heatmap(T) }
expect { always min(T) >= 19.99 }               # the air is the coldest thing around
