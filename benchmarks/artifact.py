"""What a call of a compiled file costs beside the same call of the solver it was made from."""

from collections.abc import Callable
from functools import partial

import jax

from benchmarks.table import number, ranged, table, verdict
from benchmarks.timing import interleaved, ratio

GOAL = 1.03
SPECS = {
    "Kuramoto–Sivashinsky 1024, ETDRK4": """
space {{ x in [0, 22] periodic }}
time {{ t in [0, {end}] }}
fields {{ u }}
equations {{ dt(u) = -u*dx(u) - dxx(u) - dxxxx(u) }}
initial {{ u = cos(2*pi*x/22) }}
solve {{ n = 1024; dt = 0.01 }}
output {{ every = {end} }}
""",
    "heat 2-D 256², Euler": """
space {{ x in [0, 1]; y in [0, 1] }}
time {{ t in [0, {end}/20000] }}
fields {{ u }}
equations {{ dt(u) = laplacian(u) }}
initial {{ u = sin(pi*x)*sin(pi*y) }}
boundary {{ all: u = 0 }}
solve {{ n = 256; order = 2; step = euler; dt = 3e-6 }}
output {{ every = {end}/20000 }}
""",
}


def shown(rounds: int, shorter: int) -> str:
    """A table of eager `solve` calls: times of the file's program over those of the solver."""
    rows = []
    for title, text in SPECS.items():
        runs = _runs(text.format(end=20.0 / shorter))
        interleaved(runs, 1)
        times = interleaved(runs, rounds)
        above, below = times["artifact"], times["solver"]
        best = min(above.wall) / min(below.wall)
        work = ranged(ratio(above.cpu, below.cpu))
        rows.append((title, ranged(ratio(above.wall, below.wall)), number(best), work, verdict(best, GOAL)))
    return table(("Compiled file / solver", "wall", "of bests", "of CPU", "goal, of bests"), rows)


def _runs(text: str) -> dict[str, Callable[[], object]]:
    import nablax
    from nablax.backends.artifact.read import unpack
    from nablax.backends.artifact.write import compile_artifact

    solver = nablax.parse(text).compile()
    artifact = unpack(compile_artifact(solver, platforms=(jax.default_backend(),)))

    def call(solve: Callable[[], object]) -> object:
        return jax.block_until_ready(solve())

    return {"solver": partial(call, solver.solve), "artifact": partial(call, artifact.solve)}
