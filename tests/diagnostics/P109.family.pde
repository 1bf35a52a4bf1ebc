space { x[1..100] in [0, 1] }
fields { u }
equations { dxx(u) + sum(x[k]*y[k], k) + x[0] + sum(x[k], u) = 0 }
