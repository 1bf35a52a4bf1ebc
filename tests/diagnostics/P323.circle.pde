space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
equations { dt(u) = dxx(u); dt(v) = dxx(v) }
initial { u = 0; v = 0 }
boundary {
  x = 0: u = v, v = u^2
  x = 1: u = 0, v = 0
}
