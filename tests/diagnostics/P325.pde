space { x in [0, 1]; y in [0, 2*pi] periodic }
fields { u }
let { a = 1 + x }
equations { div(a*grad(u)) = 1 + sin(y)^2 }
boundary { x = 0: dn(u) = 0; x = 1: dn(u) = 0.5 }
