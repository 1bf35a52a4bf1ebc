space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
equations {
  dt(u) = dxx(u)
  dt(v) = dxx(v)
}
initial { u(x, 0) = sin(pi*x); v = 0 }
boundary {
  u(0, t) = 0, u(1, t) = 0
  v(0, t) = v(1, t)
  v'(1) = 0
}
