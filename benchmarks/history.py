"""The past of a fractional derivative: summed over all steps, and by decaying exponentials.

D^½ u = -2u + u_xx/100 on a periodic axis, by the implicit L1 scheme on equal steps, as `nablax run` steps it:
from the start to the end of the run, without its compilation.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.table import number, ranged, table, verdict
from benchmarks.timing import interleaved, ratio, spread

if TYPE_CHECKING:
    from nablax.backends.solver import Solver

RUNS = ((1000, 1000, 5.0), (10_000, 100, 50.0))  # steps, points, how many times faster than the direct sum
STEPPERS = ("l1", "l21sigma", "cq")
STEPS = (32, 64, 128, 256, 512, 1000, 4000, 10_000, 100_000)
POINTS = (4, 100, 1000)
NEAR = 1.3  # goal: the choice over the best engine
WORK = 2e9  # numbers that a direct sum reads in all; beyond, what is certain is not run
ENGINES = {"direct": "direct", "exponentials": "sum_of_exponentials"}
SPEC = """pde 1
"Relaxation with memory"
space  {{ x in [0, 1] periodic }}
time   {{ t in [0, 1] }}
fields {{ u }}
equations {{ caputo(u, t, 1/2) = -2*u + 0.01*dxx(u) }}
initial {{ u = 1 + sin(2*pi*x) }}
output {{ every = 1 }}
solve {{ n = {points}; step = {step}; dt = {dt!r}{memory} }}
"""


def compiled(steps: int, points: int, step: str = "l1", memory: str | None = None) -> "Solver":
    import nablax
    from nablax.backends.solver import Solver

    asked = "" if memory is None else f"; memory = {memory}"
    text = SPEC.format(points=points, step=step, dt=1 / steps, memory=asked)
    solver = nablax.parse(text).compile()
    assert isinstance(solver, Solver)
    return solver


def end(solver: "Solver") -> np.ndarray:
    """u at the end of a run."""
    from nablax.backends.frames import Frame

    *_, last = solver.stream()
    assert isinstance(last, Frame)
    return np.asarray(last.fields["u"])


def doubles(steps: int, points: int, memory: str) -> float:
    """What a state holds, per point."""
    return sum(a.nbytes for a in compiled(steps, points, memory=memory).initial().y) / 8 / points


def both(steps: int, points: int, step: str = "l1") -> dict[str, Callable[[], np.ndarray]]:
    """A run with either engine, compiled."""
    runs: dict[str, Callable[[], np.ndarray]] = {
        e: partial(end, compiled(steps, points, step, memory)) for e, memory in ENGINES.items()
    }
    for run in runs.values():
        run()
    return runs


def tables(rounds: int) -> str:
    """One row a run: both engines, what they keep, how far they are apart."""
    rows = []
    for steps, points, goal in RUNS:
        runs = both(steps, points)
        apart = float(np.abs(runs["direct"]() - runs["exponentials"]()).max())
        times = interleaved(runs, rounds)
        gain = ratio(times["direct"].wall, times["exponentials"].wall)
        milliseconds = [ranged(spread(t.wall).scaled(1e3)) for t in times.values()]
        kept = (number(doubles(steps, points, memory)) for memory in ENGINES.values())
        met = f"≥ {goal:g}: {'met' if gain.middle >= goal else 'MISSED'}"
        rows.append(
            (f"{steps} x {points}", *milliseconds, ranged(gain), met, " / ".join(kept), number(apart))
        )
    head = (
        "history: steps x points",
        "direct, ms",
        "exponentials, ms",
        "ratio",
        "goal",
        "doubles a point",
        "apart",
    )
    return table(head, rows)


def choices(rounds: int) -> str:
    """What the choice of an engine by the number of steps costs over the better one, by shortest times."""
    rows = []
    for step in STEPPERS:
        for points in POINTS:
            for steps in STEPS:
                if float(steps) ** 2 * points > WORK:
                    continue
                recall = compiled(steps, points, step).plan.stepping.recall
                assert recall is not None
                times = interleaved(both(steps, points, step), rounds)
                best = {name: min(t.wall) for name, t in times.items()}
                over = best[recall.engine] / min(best.values())
                shown = (number(best[name] * 1e3) for name in ENGINES)
                rows.append(
                    (f"{step}, {steps} x {points}", *shown, recall.engine, number(over), verdict(over, NEAR))
                )
    head = (
        "switch: stepper, steps x points",
        "direct, ms",
        "exponentials, ms",
        "chosen",
        "over the best",
        "goal",
    )
    return table(head, rows)
