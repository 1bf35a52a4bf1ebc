space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u, v }
equations {
  dt(u) + dt(v) = dxx(u)
  2*dt(u) + 2*dt(v) = dxx(v)
}
initial { u = 0; v = 0 }
