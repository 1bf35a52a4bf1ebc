space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { a = 0.5 }
equations { abc(u, t, a) = dxx(u) + t*sin(pi*x) }
initial { u = 0 }
boundary { all: u = 0 }
solve { n = 2000; dt = 1e-5 }
