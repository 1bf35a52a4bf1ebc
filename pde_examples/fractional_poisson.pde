pde 1
"Fractional Poisson problem: mean exit times of Levy flights from an interval"

space  { x in [-1, 1] }
fields { u }
params { alpha = 1.5 }

equations { fraclap(u, alpha/2, kind=integral) = gamma(1 + alpha) }
boundary  { all: u = 0 }

solve  { n = 64 }
expect { u ≈ (1 - x^2)^(alpha/2) within 1e-10 }
