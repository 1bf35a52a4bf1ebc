pde 1
"Poisson's equation on a square, by a network"

space  { x in [0, 1]; y in [0, 1] }
fields { u }
let    { exact = sin(pi*x)*sin(pi*y) }

equations { -laplacian(u) = 2*pi^2*exact }
boundary  { all: u = 0 }

train  { steps = lm(40) }
expect { u ≈ exact within 1e-5 }
