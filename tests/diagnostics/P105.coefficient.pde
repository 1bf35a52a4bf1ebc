space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { C(x) ~ 1 }
equations { dt(u) = C(t)*u }
initial { u = 0 }
