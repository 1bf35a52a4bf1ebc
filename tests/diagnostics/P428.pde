space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { c(x) = 1 + x^2; q(s) = s^2; w = u^2; k = 3; r = t*x; e = 2*c(x); f(x) = x + e }
equations { dt(u) = dxx(u) }
initial { u = sin(2*pi*x) }
solve { arrays = [c, q, w, k, r, d, f] }
