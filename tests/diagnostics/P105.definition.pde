space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { q(s) = s^2 }
equations { dt(u) = dxx(u) + q }
initial { u = sin(2*pi*x) }
