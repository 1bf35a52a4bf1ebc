pde 1
"Sod's shock tube: the Euler equations of gas dynamics, a shock, a contact and a rarefaction"

space  { x in [0, 1] }
time   { t in [0, 0.2] }
fields {
  rho  # density
  m    # momentum
  E    # energy
}
params { gamma = 1.4 }
let {
  p = (gamma - 1)*(E - m^2/(2*rho))
  c = sqrt(gamma)                               # speed of sound on the left
  fan = (5/6 - (x - 1/2)/(6*c*max(t, 1e-9)))^5  # density in the rarefaction, for gamma = 1.4
}

equations {
  [mass]     dt(rho) + dx(m) = 0
  [momentum] dt(m) + dx(m^2/rho + p) = 0
  [energy]   dt(E) + dx((E + p)*m/rho) = 0
}
initial {
  rho = where(x < 1/2, 1, 1/8)
  m = 0
  E = where(x < 1/2, 1, 0.1)/(gamma - 1)
}
boundary { all: dn(rho) = 0, dn(m) = 0, dn(E) = 0 }  # waves pass

solve  { n = 400 }
output { plot = lines(rho) }
expect {
  rho ≈ where(x - 1/2 < -c*t, 1, where(x - 1/2 < -0.07027*t, fan, where(x - 1/2 < 0.92745*t, 0.42632,
      where(x - 1/2 < 1.75216*t, 0.26557, 1/8)))) within 0.02
  always integral(rho) ≈ 9/16 within 1e-12  # no wave has reached an end
  always integral(E) ≈ 11/8 within 1e-12
}
