space polar { r in [0, 1]; theta in [0, pi] }
fields { u }
equations { laplacian(u) = 1 }
boundary  { r = 1: u = 0; theta = 0: u = 0; theta = pi: u = 0 }
