space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
let { k = file("most.csv") }    # its coordinates end at 0.75
equations { dt(u) = dx(k*dx(u)) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
