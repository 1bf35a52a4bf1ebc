"""CPU seconds from a fresh process to a first result, over those of its imports."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.timing import Spread, cpu_seconds, spread

BURGERS = Path(__file__).resolve().parent.parent / "pde_examples" / "burgers.pde"
GOAL = 2.0

JAX64 = "import jax; jax.config.update('jax_enable_x64', True); import numpy as np; "
# What nablax loads when it is first needed counts as an import, as the peers load all at once.
NABLAX = f"{JAX64} import sympy, lark, nablax, nablax.facade, nablax.backends.build"


@dataclass(frozen=True, slots=True)
class Start:
    """`imports` alone, and followed by `work`: Burgers' equation on 512 points up to t = 2."""

    name: str
    imports: str
    work: str
    needs: str = "nablax"


STARTS = (
    Start(
        "nablax, load().compile().solve()",
        NABLAX,
        f"print(nablax.load({str(BURGERS)!r}).compile().solve().fields['u'][-1].max())",
    ),
    Start(
        "nablax, stream() (what `nablax run` calls)",
        NABLAX,
        f"""
for event in nablax.load({str(BURGERS)!r}).compile().stream(): pass
print(event.fields['u'].max())
""",
    ),
    Start(
        "exponax, 1000 steps",
        f"{JAX64} import exponax as ex",
        """
x = np.arange(512) * 2 * np.pi / 512
stepper = ex.stepper.Burgers(1, 2 * np.pi, 512, 0.002, diffusivity=0.01)
print(jax.jit(ex.repeat(stepper, 1000))(jax.numpy.sin(x)[None]).max())
""",
        "exponax",
    ),
    Start(
        "py-pde, numba, 4000 Euler steps",
        "import numpy as np, pde",
        """
grid = pde.CartesianGrid([[0, 2 * np.pi]], 512, periodic=True)
state = pde.ScalarField.from_expression(grid, 'sin(x)')
equation = pde.PDE({'u': '0.01*laplace(u) - u*d_dx(u)'})
result = equation.solve(state, t_range=2, dt=0.0005, solver='euler', backend='numba', tracker=None)
print(result.data.max())
""",
        "pde",
    ),
)


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Seconds of CPU: `imports` alone, and what the first result takes beyond."""

    imports: Spread
    beyond: Spread


def measure(rounds: int) -> Mapping[str, ColdStart | None]:
    """By name; None where the contender is not installed."""
    present = [s for s in STARTS if find_spec(s.needs) is not None]
    imports: dict[str, list[float]] = {s.name: [] for s in present}
    beyond: dict[str, list[float]] = {s.name: [] for s in present}
    for start in present:
        cpu_seconds(start.imports + "\n" + start.work)  # byte code and file caches
    for _ in range(rounds):
        for start in present:
            base = cpu_seconds(start.imports)
            imports[start.name].append(base)
            beyond[start.name].append(cpu_seconds(start.imports + "\n" + start.work) - base)
    return {
        s.name: ColdStart(spread(imports[s.name]), spread(beyond[s.name])) if s in present else None
        for s in STARTS
    }
