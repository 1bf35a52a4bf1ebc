pde 1
"Viscous Burgers equation against its exact solution by the Cole-Hopf transformation"

space  { x in [0, 2*pi] periodic }
time   { t in [0, 5] }
fields { u }
params { nu = 0.1; a = 0.8 }
let {
  phi(s) = 1 + a*exp(-nu*s)*cos(x)      # solves the heat equation
  flow(s) = -2*nu*dx(phi(s))/phi(s)     # and this solves Burgers'
}

equations { u_t + u*u_x = nu*u_xx }
initial   { u = flow(0) }

solve  { n = 128; tol = 1e-9 }
expect { u ≈ flow(t) within 1e-8 }
