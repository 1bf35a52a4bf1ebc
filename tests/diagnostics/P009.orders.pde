space { x in [0, 1] periodic; θ in [0, 1] periodic }
time { t in [0, 1] }
fields { T }
equations { dt(T) = ∂²θ T + ∂⁴T + ∂³ T }
initial { T = sin(2*pi*x) }
