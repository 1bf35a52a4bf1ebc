space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = Δu - 0.01*Δu^2 }
initial { u = sin(2*pi*x) }
