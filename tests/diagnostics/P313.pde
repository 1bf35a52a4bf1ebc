space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
let { c = 2 + sin(x) }
equations { dt(u) = c*dx(u) }
initial { u = 0 }
boundary { x = 1: u = 0 }
