pde 1
"Swift-Hohenberg: rolls grow out of a small disturbance and saturate"

space  { x in [-8*pi, 8*pi] periodic }
time   { t in [0, 120] }
fields { u }
params { r = 0.1 }

equations { dt(u) = r*u - u - 2*dxx(u) - dxxxx(u) - u^3 }
initial   { u = cos(x)/100 + cos(5*x/4)/1000 }

solve  { n = 128 }
output { every = 2 }
expect {
  u ≈ 2*sqrt(r/3)*cos(x) within 1e-2      # the amplitude equation, up to its next order
  always max(|u|) <= 0.4
}
