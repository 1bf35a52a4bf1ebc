space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { a = 1 + b; b = a^2 }
equations { dt(u) = 0.1*dxx(u) + a }
initial { u = sin(2*pi*x) }
