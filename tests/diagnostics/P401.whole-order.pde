space { x in [0, 1] }
time { t in [0, 0.5] }
fields { c }
params { al = 2 }
equations { caputo(c, t, al) = dxx(c) }
initial { c = sin(pi*x); dt(c) = 0 }
boundary { all: c = 0 }
solve { n = 16 }
expect { c ≈ mittag_leffler(al, -pi^2*t^al)*sin(pi*x) within 1e-3 }
