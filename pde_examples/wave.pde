pde 1
"A square drum: the wave equation with a fixed rim"

space  { x in [0, 1]; y in [0, 1] }
time   { t in [0, 1] }
fields { u }
params { c = 1 }
let    { omega = sqrt(5)*pi*c }

equations { u_tt = c^2*Δu }
initial   { u = sin(2*pi*x)*sin(pi*y); dt(u) = 0 }
boundary  { all: u = 0 }

solve  { n = [64, 64]; order = 4 }
expect { u ≈ sin(2*pi*x)*sin(pi*y)*cos(omega*t) within 1e-3 }
