space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
let { K = [[1, 0], [0, 2]] }
equations { dt(u) = div(K*grad(u)) }
initial { u = sin(2*pi*x) }
