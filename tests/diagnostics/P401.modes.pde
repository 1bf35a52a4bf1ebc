space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { caputo(u, t, 0.5) = dxx(u) - u^3 }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { step = mittag_leffler }
