pde 1
"A rod that heats a well-stirred bath: the wall has a heat capacity of its own"

space  { x in [0, 1] }
time   { t in [0, 0.5] }
fields { u }
let    { k = 2.028757838110434 }          # tan(k) = -k

equations { dt(u) = dxx(u) }
initial   { u = cos(k*x) }
boundary  { x = 0: dn(u) = 0; x = 1: dt(u) = -dn(u) }

solve  { n = 48; order = 6; tol = 1e-9 }
output { every = 0.01 }
expect { u ≈ exp(-k^2*t)*cos(k*x) within 1e-7 }
