pde 1
"Burgers' equation with an unknown viscosity, found from noisy measurements"

space  { x in [-1, 1] }
time   { t in [0, 1] }
fields { u }
params { nu ~ 0.05 in [1e-3, 1] }      # unknown: start at 0.05, keep within the interval

equations { dt(u) + u*dx(u) = nu*dxx(u) }
initial   { u = -sin(pi*x) }
boundary  { all: u = 0 }

# viscosity.csv: the exact solution for nu = 0.02 at 200 random points, noise 0.01; viscosity.py writes it
data { sensors = csv("viscosity.csv", at=[x, t], value=u, sigma=0.01) }

train  { steps = lm(60) }
expect { nu ≈ 0.02 within 1e-2 }
