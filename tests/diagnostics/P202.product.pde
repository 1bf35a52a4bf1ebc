space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 2·dxx(u) }
initial { u = sin(π·x) }
boundary { all: u = 0 }
