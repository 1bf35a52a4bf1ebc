space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) - integral(exp(s - t)*u, s, 0, t) }
initial { u = 0 }
boundary { all: u = 0 }
train { windows = 2 }
