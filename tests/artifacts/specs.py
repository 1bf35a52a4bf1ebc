"""Small specs that between them have everything an artifact must carry."""

from functools import cache

import nablax
from nablax.backends.artifact.program import Artifact
from nablax.backends.artifact.read import unpack
from nablax.backends.artifact.write import compile_artifact
from nablax.backends.solver import Solver

RING = """
"A wave on a ring"
space { x in [0, 2*pi] periodic }
time { t in [0, 0.35] }
fields { u }
params { nu = 0.1; b = 2*nu }
equations { dt(u) + u*dx(u) = nu*dxx(u) }
initial { u = b*sin(x) }
solve { n = 24; dt = 0.03 }
output { every = 0.1; plot = [lines(u), spacetime(u^2)] }
expect { integral(u) ≈ 0 within 1e-12; always max(|dx(u)|) <= 1 }
"""
ROD = """
space { x in [0, L] }
time { t in [0, 0.1] }
fields { u }
params { L = 1; D ~ 0.5 in [0.1, 2]; T = 1 }
equations { dt(u) = D*dxx(u) }
initial { u = T*(1 - x) }
boundary { x = 0: u = T; x = L: dx(u) = -u }
solve { n = 16; step = dopri5; order = 2 }
"""
CHORD = """
space { x in [0, 1] }
time { t in [0, 0.2] }
fields { w }
params { c = 1 }
equations { dtt(w) = c^2*dxx(w) }
initial { w = sin(pi*x); dt(w) = 0 }
boundary { x = 0: w = 0; x = 1: w = 0 }
solve { n = 16; step = rk4; order = 4; dt = 0.01 }
"""
QUANTUM = """
space { x in [0, 2*pi] periodic }
time { t in [0, 0.2] }
fields { psi : complex }
params { g = 1 }
equations { i*dt(psi) = -dxx(psi) + g*|psi|^2*psi }
initial { psi = exp(i*x) + 0.1*noise(5) }
solve { n = 16 }
"""
FLOW = """
space { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
time { t in [0, 0.1] }
fields { U : vector; p }
params { nu = 0.1 }
equations { dt(U) + (U·∇)U = -∇p + nu*ΔU; div(U) = 0 }
initial { U = (sin(x)*cos(y), -cos(x)*sin(y)) }
solve { n = 8; dt = 0.02 }
"""
MEMORY = """
space { x in [0, 2*pi] periodic }
time { t in [1, 2] }
fields { u }
params { a = 0.6; D = 1 }
equations { caputo(u, t, a) = D*dxx(u) + sin(t) }
initial { u = sin(x) }
solve { n = 8; dt = 0.1; memory = direct }
output { every = 0.25 }
"""


@cache
def both(text: str) -> tuple[Solver, Artifact]:
    """The solver of a spec, and what is left of it after a trip through a file."""
    solver = nablax.parse(text, name="spec.pde").compile()
    return solver, unpack(compile_artifact(solver))
