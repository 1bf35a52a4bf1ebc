space { x in [0, 1] }
time { t in [0, 1] }
fields { p, u }
equations { dt(p) = -dxxx(u); dt(u) = -dxxx(p) }
initial { p = 0; u = 0 }
boundary { x = 0: u = 0, p = 0, dx(u) = 0; x = 1: u = 0, p = 0, dx(p) = 0 }
