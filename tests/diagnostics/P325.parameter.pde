space { x in [0, 1] }
fields { u }
params { a = 1 }
equations { dxx(u) = a + cos(pi*x) }
boundary { all: dn(u) = 0 }
