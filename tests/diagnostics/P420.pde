space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { h; v }
equations {
  dt(h) + dx(h*v) = 0
  dt(v) + v*dx(v) + h*dx(v) + dx(h) = 0
}
initial { h = 1; v = sin(2*pi*x) }
