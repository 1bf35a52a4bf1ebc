space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { S: tensor }
equations { dt(S) = S }
initial { S = 0 }
