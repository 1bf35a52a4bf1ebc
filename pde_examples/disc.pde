pde 1
"A puff of smoke that the wind carries through the centre of a disc, while it spreads"

space polar { r in [0, 1]; theta in [0, 2*pi] periodic }
time   { t in [0, 0.4] }
fields { c }
params { D = 0.01; speed = 1; far = 0.2; since = 0.4 }

let {
  W = (speed*cos(theta), -speed*sin(theta))     # a uniform wind along x, by its polar components
  x = r*cos(theta)
  y = r*sin(theta)
  puff = since/(t + since)*exp(-((x + far - speed*t)^2 + y^2)/(4*D*(t + since)))
}

equations { dt(c) + advect(W, c) = D*laplacian(c) }
initial   { c = puff }
boundary  { r = 1: c = puff }

solve  { n = [56, 64] }
expect {
  c ≈ puff within 5e-4
  integral(c) ≈ 4*pi*D*since within 1e-4        # nothing has reached the rim
  always min(c) >= -1e-4
}
