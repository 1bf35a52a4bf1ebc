space { x[5..1] in [0, 1] }
fields { u }
equations { u = 0 }
