space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.1*laplacian(u) }
initial { u = 0 }
data { sensors = csv("sensors.csv", at=[x, y, t], value=u) }
