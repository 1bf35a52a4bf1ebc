space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { D = 0.1 }
equations {
  du/dt = D*d²u/dx² + d2u/dy2 - d^2u/dxdy
}
initial { u = sin(2*pi*x) }
