space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v }
equations { dt(u) = dxx(u); dt(v) = dxx(v) }
initial { u = 0; v = 0 }
boundary {
  x = 0: dt(u) = dt(v) - dn(u), dn(v) = 0
  x = 1: u = 0, v = 0
}
