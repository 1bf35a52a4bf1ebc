space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u; v; w; p }
equations {
  diff(u, t) = diff(u, x, 2)
  D[v, t] = D[v, {x, 2}]
  w.diff(t) = div grad w + nabla^2 w
  p' = dde.grad.hessian(p, x, i=0, j=0)
}
initial { u = sin(2*pi*x); v = 0; w = 0; p = 0 }
