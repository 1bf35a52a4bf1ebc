space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u, v }
equations {
  dt(u) = dxx(u) + (u + v + 1)^60
  dt(v) = 0
}
initial { u = 0; v = 0 }
