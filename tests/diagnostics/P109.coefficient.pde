space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { C(z) ~ 1; B(x) ~ 2 in [0, 2]; E() ~ 1 }
equations { dt(u) = B(t)*u }
initial { u = 0 }
