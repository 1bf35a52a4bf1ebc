space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { k = 1 }
equations { psicaputo(u, t, 0.5, k*t) = dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
solve { memory = sum_of_exponentials }
