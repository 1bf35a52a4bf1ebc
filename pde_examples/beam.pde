pde 1
"Vibrating Euler-Bernoulli beam, simply supported"

space  { x in [0, 1] }
time   { t in [0, 0.5] }
fields { w }
params { c = 1 }

equations { dtt(w) + c^2*d(w, x, 4) = 0 }
initial   { w = sin(pi*x); dt(w) = 0 }
boundary  {
  x = 0: w = 0, dxx(w) = 0
  x = 1: w = 0, dxx(w) = 0
}

solve  { order = 4; n = 64 }
expect { w ≈ sin(pi*x)*cos(c*pi^2*t) within 1e-4 }
