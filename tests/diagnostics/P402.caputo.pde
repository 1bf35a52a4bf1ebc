space { x in [0, 1] periodic; y in [1, 2] }
time { t in [0, 1] }
fields { u }
params { a = 0.5 }
equations { dt(u) = Δu + caputo(u^2, t, a) }
initial { u = 0 }
boundary { y = 1: u = 0; y = 2: u = 0 }
