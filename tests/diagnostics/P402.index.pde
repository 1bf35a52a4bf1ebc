space { x[1..100] in [0, 1] }
fields { u }
equations { biharmonic(u) = 0 }
