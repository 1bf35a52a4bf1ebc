space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { f = max(x > 0.5, 0) }
equations { dt(u) = dxx(u) + f }
initial { u = sin(2*pi*x) }
