pde 1
"A sine wave steepens into a front 0.01/π thin, by a network"

space  { x in [-1, 1] }
time   { t in [0, 1] }
fields { u }
params { nu = 0.01/pi }

equations { dt(u) + u*dx(u) = nu*dxx(u) }
initial   { u = -sin(pi*x) }
boundary  { all: u = 0 }

solve  { n = 1024 }                    # for the reference that the trained field is compared with
train  { steps = lm(800); seed = 0 }       # twice the default: 3e-4 and below
expect {
  always max(|u|) <= 1.001             # maximum principle
  integral(u*sign(x)) <= 0             # the wave runs towards the middle from both sides
}
