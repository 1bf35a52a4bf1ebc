space { x in [0, 1] periodic; y in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
params { D = 0.1 }
equations { \frac{\partial u}{\partial t} = D*\frac{\partial^2 u}{\partial x \partial y} + \partial_{xx} u + u_{yy} }
initial { u = sin(2*pi*x) }
