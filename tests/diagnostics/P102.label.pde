space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u, v }
equations {
  [heat] dt(u) = dxx(u)
  [heat] dt(v) = dxx(v)
}
initial { u = 0; v = 0 }
