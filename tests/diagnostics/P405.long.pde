space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { dt = 100; step = implicit }
