space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { c(x) = 1 + x^2 }
equations { dt(u) = c(x)*dxx(u) }
initial { u = sin(2*pi*x) }
solve { arrays = 2*c }
