pde 1
"Heat in a rod with cold ends"

space  { x in [0, 1] }
time   { t in [0, 1] }
fields { u }
params { D = 0.1 }  # diffusivity

equations { dt(u) = D*dxx(u) }
initial   { u = sin(pi*x) }
boundary  { all: u = 0 }  # or `dn(u) = 0` for an insulated end

expect { u ≈ sin(pi*x)*exp(-D*pi^2*t) within 1e-3 }  # exact: a run tests itself
