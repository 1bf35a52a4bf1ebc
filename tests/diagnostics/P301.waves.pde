space { x in [0, 1] }
time { t in [0, 1] }
fields { h; m }
equations {
  dt(h) + dx(m) = 0
  dt(m) + dx(m^2/h + h^2/2) = 0
}
initial { h = 1; m = 0 }
boundary { x = 0: m = 0 }
