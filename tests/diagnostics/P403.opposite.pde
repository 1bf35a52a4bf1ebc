space polar { r in [0, 1]; theta in [0, 2*pi] periodic }
fields { u }
equations { laplacian(u) = 1 }
boundary  { r = 1: u = 0 }
solve     { n = [16, 25] }
