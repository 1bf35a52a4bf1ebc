space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = -rl(u, x, 0.6, base=0.5) }
initial { u = 0 }
boundary { x = 0: u = 0 }
