pde 1
"Kuramoto-Sivashinsky: chaos from a fourth-order equation"

space  { x in [0, 32*pi] periodic }
time   { t in [0, 150] }
fields { u }

equations { u_t + u*u_x + u_xx + u_xxxx = 0 }
initial   { u = cos(x/16)*(1 + sin(x/16)) }

solve  { n = 512; step = etdrk4; dt = 0.05 }
output { every = 0.5; plot = spacetime(u) }
expect { mean(u) ≈ 0 within 1e-10; always max(|u|) <= 5 }
