pde 1
"Subdiffusion: spreading slowed down by waiting times"

space  { x in [0, pi] }
time   { t in [0, 1] }
fields { u }
params { alpha = 0.8; D = 1 }  # alpha between 0 and 1; 1 is ordinary diffusion

equations { caputo(u, t, alpha) = D*dxx(u) }
initial   { u = sin(x) }
boundary  { all: u = 0 }

solve  { n = 100; dt = 1e-3 }
expect { u ≈ mittag_leffler(alpha, -D*t^alpha)*sin(x) within 1e-2 }
