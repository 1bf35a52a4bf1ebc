space { x in [0, 1] }
time { t in [0, 1] }
fields { w }
equations { dt(w) = -dxxxx(w) }
initial { w = 0 }
boundary { x = 0: w = 0, w = 1; x = 1: w = 0, dx(w) = 0 }
