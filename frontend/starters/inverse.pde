pde 1
"Find a diffusivity from measurements, with a neural network"

space  { x in [0, 1] }
time   { t in [0, 1] }
fields { u }
params { D ~ 0.1 in [1e-3, 1] }  # unknown: start at 0.1, stay within the interval

equations { dt(u) = D*dxx(u) }
initial   { u = sin(pi*x) }
boundary  { all: u = 0 }

# sensors.csv has a header `x,t,u` and a line for each measurement; sigma is their standard error
data { sensors = csv("sensors.csv", at=[x, t], value=u, sigma=0.01) }

train {
  model  = mlp(width=32, depth=3, act=tanh)
  points = [residual(1024), initial(128), boundary(128)]
  steps  = [adam(5000, lr=1e-3)]
  seed   = 0
}
