space { x in [0, 1] }
time { t in [0, 1] }
fields { u; v; w }
equations { dt(u) = dxx(u); dt(v) = dxx(v); dt(w) = dxx(w) }
initial { u = 1e200*sin(pi*x); v = 1e-9*(1 + x); w = sin(2*pi*x) }
boundary { all: u = 0, v = 0; x = 0: w = sin(pi*t); x = 1: dn(w) = 2*pi }
