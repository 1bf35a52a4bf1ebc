space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
params { h = 2 }
equations {
  dtt(u) = dxx(u)
  dt(v) = dxx(v)
}
initial { u(x, 0) = 0; du/dt(x, 0) = 0; v = 0 }
boundary {
  du/dx(0, t) = 0
  u(1, t) = 0
  ∂v/∂x(0, t) = h*v(0, t)
  dv/dx(0, t) = dv/dx(1, t)
}
