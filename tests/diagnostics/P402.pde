space { a in [0, 1]; b in [0, 1]; c in [0, 1]; d2 in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0 }
initial { u = 0 }
