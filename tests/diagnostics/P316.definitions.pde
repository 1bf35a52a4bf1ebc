space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { q(s) = s + sin(s) }
equations { dt(u) = dxx(u) + q(q(q(q(q(q(q(q(q(q(q(q(q(q(q(u))))))))))))))) }
initial { u = sin(2*pi*x) }
