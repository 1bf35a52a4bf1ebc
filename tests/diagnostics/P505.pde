space { x in [0, 4] }
time { t in [0, 1] }
fields { u }
let { k = file("ramp.csv") }    # its coordinates end at 1
equations { dt(u) = dx(k*dx(u)) }
initial { u = x*(4 - x) }
boundary { all: u = 0 }
