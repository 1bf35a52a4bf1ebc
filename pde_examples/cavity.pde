pde 1
"Lid-driven cavity at Re = 100: flow between walls comes to rest in a vortex under a lid that moves"

space  { x in [0, 1]; y in [0, 1] }
time   { t in [0, 12] }
fields {
  U: vector
  p
}
params { Re = 100 }

equations {
  [momentum] ∂t U + (U·∇)U = -∇p + ΔU/Re
  [mass]     ∇·U = 0                        # kept by a projection; p needs no conditions
}
initial  { U = (0, 0) }
boundary {
  x = 0: U = (0, 0)
  x = 1: U = (0, 0)
  y = 0: U = (0, 0)
  y = 1: U = (1 - exp(-4*t), 0)             # the lid, set in motion gently
}

solve  { n = 32; tol = 1e-5 }
output { every = 3; plot = vectors(U) }
expect {
  # on the lines through the middle: Ghia, Ghia and Shin, J. Comput. Phys. 48 (1982) 387-411, tables I and II
  min(where(|x - 1/2| < 1e-9, U.x, 0)) ≈ -0.2109 within 2e-2
  max(where(|y - 1/2| < 1e-9, U.y, 0)) ≈ 0.17527 within 4e-2
  min(where(|x - 1/2| + |y - 1/2| < 1e-9, U.x, 0)) ≈ -0.20581 within 2e-2
}
