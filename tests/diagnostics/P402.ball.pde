space spherical { r in [0, 1]; theta in [0.1, 3] }
fields { u }
equations { laplacian(u) = 1 }
boundary  { r = 1: u = 0; theta = 0.1: dn(u) = 0; theta = 3: dn(u) = 0 }
