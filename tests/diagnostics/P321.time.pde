space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u; v }
let { f = 2*(t^2 - t)/log(t) }
equations { dt(u) = dxx(u) + f; dt(v) = dxx(v) - dx(v)/t }
initial { u = 0; v = 0 }
solve { n = 8 }
