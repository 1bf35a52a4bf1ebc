space { x in [0, 1]; y in [0, 1] }
time { t in [0, 1] }
fields { U: vector; p }
params { nu = 0.1 }
equations {
  [momentum] dt(U) + (U·∇)U = -grad(p) + nu*(1 + x)*laplacian(U)
  [mass] div(U) = 0
}
initial { U = (0, 0) }
boundary {
  x = 0: U = (0, 0)
  x = 1: U = (0, 0)
  y = 0: U = (0, 0)
  y = 1: U = (0, 0)
}
solve { step = implicit }
