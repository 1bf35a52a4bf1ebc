space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u; v: complex }
equations { dt(u) = dxx(u); i*dt(v) = dxx(v) }
initial { u = exp(i*2*pi*x); v = exp(i*2*pi*x) }
