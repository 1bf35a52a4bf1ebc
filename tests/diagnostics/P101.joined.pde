space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { ut = uxx + d2udx2 + dx2(u) }
initial { u = sin(2*pi*x) }
