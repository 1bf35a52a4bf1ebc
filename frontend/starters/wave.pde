pde 1
"A string, plucked and let go"

space  { x in [0, 1] }
time   { t in [0, 2] }
fields { u }
params { c = 1 }  # speed of sound

equations { dtt(u) = c^2*dxx(u) }

# a second derivative in time wants two initial values: the shape and its rate
initial  { u = sin(pi*x); dt(u) = 0 }
boundary { all: u = 0 }

expect { u ≈ sin(pi*x)*cos(c*pi*t) within 1e-2 }
