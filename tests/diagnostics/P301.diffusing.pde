space { x in [0, 1] }
time { t in [0, 1] }
fields { p; u }
params { c = 1; nu = 0.1 }
equations {
  dt(p) + c*dx(u) = 0
  dt(u) + c*dx(p) = nu*dxx(u)
}
initial { p = 0; u = 0 }
boundary { all: p = 0 }
