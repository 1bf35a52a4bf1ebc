space { x in [0, 1] }
fields { u }
equations { dxx(u) = 1 }
boundary { all: u = 0 }
train { windows = 4 }
