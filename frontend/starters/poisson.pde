pde 1
"Steady heat in a plate: the Poisson equation, without a `time` block"

space  { x in [0, 1]; y in [0, 1] }
fields { u }
let    { f = 2*pi^2*sin(pi*x)*sin(pi*y) }  # heat source

equations { -laplacian(u) = f }
boundary  { all: u = 0 }

solve  { n = [64, 64] }
expect { u ≈ sin(pi*x)*sin(pi*y) within 1e-2 }
