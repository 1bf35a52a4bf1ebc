space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = diffusivity*dxx(u) + q }
initial { u = sin(2*pi*x) }
