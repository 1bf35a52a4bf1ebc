space { x in [0, 1] }   # m
time { t in [0, 0.1] }  # s
fields { T }  # K
params { κ = 1e-2 }  # m²/s, °C — “thermal”
equations { ∂ₜT = κ*∂²T }
initial { T = sin(πx) }
boundary { all: T = 0 }
