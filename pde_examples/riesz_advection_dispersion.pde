pde 1
"Riesz advection and dispersion between absorbing walls"

space  { x in [0, 1] }
time   { t in [0, 1] }
fields { u }
params { a = 0.4; b = 1.7; K = 0.5; D = 0.25 }
let {
  S(q, y) = 6/gamma(4 - q)*y^(3 - q) - 72/gamma(5 - q)*y^(4 - q) + 360/gamma(6 - q)*y^(5 - q) - 720/gamma(7 - q)*y^(6 - q)
  two(q) = (S(q, x) + S(q, 1 - x))/(2*cos(pi*q/2))
  f = exp(-t)*(K*two(a) + D*two(b) - x^3*(1 - x)^3)
}

equations { u_t = K*riesz(u, x, a) + D*riesz(u, x, b) + f }
initial   { u = x^3*(1 - x)^3 }
boundary  { all: u = 0 }

solve  { n = 64 }
output { every = 0.25 }
expect { u ≈ exp(-t)*x^3*(1 - x)^3 within 6e-4 }
