pde 1
"A bistable front moves between two states: reaction-diffusion with walls"

space  { x in [-15, 25] }
time   { t in [0, 20] }
fields { u }
params { a = 0.25 }
let    {
  c = sqrt(2)*(1/2 - a)
  front(s) = 1/(1 + exp((x - c*s)/sqrt(2)))
}

equations { u_t = u_xx + u*(1 - u)*(u - a) }
initial   { u = front(0) }
boundary  {
  x = -15: u = front(t)
  x = 25:  u = front(t)
}

solve  { n = 400 }
expect { u ≈ front(t) within 1e-4; always max(u) <= 1 }
