space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { ∂u/∂t = ∂²u/∂x² }
initial { u = sin(2*pi*x) }
