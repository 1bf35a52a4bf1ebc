pde 1
"Fractional Allen-Cahn: a front of long-range diffusion comes to rest, and loses energy on the way"

space  { x in [0, 2] }
time   { t in [0, 4] }
fields { u }
params { s = 0.75; eps = 0.05 }

equations { u_t = -eps^(2*s)*fraclap(u, s, kind=spectral) + u - u^3 }
initial   { u = cos(pi*x/2)/2 }
boundary  { all: dn(u) = 0 }

solve  { n = 128 }
output { every = 0.5 }
expect { always mean(u) ≈ 0 within 1e-8; max(u) < 1; max(u) > 0.98 }
