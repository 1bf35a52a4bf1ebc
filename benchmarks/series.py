"""The Caputo derivative of a known series at all its times, against pycaputo's L1 method.

python -m benchmarks.series [ROUNDS]

α = 0.5, u = t³ on [0, 1], equal steps, one series, double precision; CPU times. Both take the same sum:
ours by the FFT in one compiled program, pycaputo's (where it is installed) time by time.
"""

import sys
from collections.abc import Callable
from math import gamma

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.table import ranged, table
from benchmarks.timing import interleaved, ratio, spread
from nablax.backends.precision import precise
from nablax.fractional import caputo_of_series

ALPHA = 0.5
STEPS = (256, 1000, 4000)
GOAL = 50.0  # from a thousand steps on
PEER = "pycaputo"


def ours(steps: int) -> Callable[[], np.ndarray]:
    series = jnp.linspace(0, 1, steps + 1) ** 3
    run = jax.jit(lambda u: caputo_of_series(u, 1 / steps, ALPHA))
    return lambda: np.asarray(run(series))


def peers(steps: int) -> Callable[[], np.ndarray]:
    """Raises ImportError where pycaputo is not installed."""
    from pycaputo.differentiation import diff
    from pycaputo.differentiation.caputo import L1
    from pycaputo.grid import make_uniform_points

    points = make_uniform_points(steps + 1, a=0.0, b=1.0)
    method = L1(ALPHA)
    return lambda: np.asarray(diff(method, lambda t: t**3, points))[1:]


def main(rounds: int = 7) -> None:
    rows = []
    with precise("float64"):
        for steps in STEPS:
            programs = {"nablax": ours(steps)}
            try:
                programs[PEER] = peers(steps)
            except ImportError:
                print(f"{PEER} is not installed: see benchmarks/requirements.txt")
            t = np.linspace(0, 1, steps + 1)[1:]
            exact = 6 / gamma(4 - ALPHA) * t ** (3 - ALPHA)
            errors = {name: float(np.abs(run() - exact).max()) for name, run in programs.items()}
            times = interleaved(programs, rounds)
            row = [str(steps), ranged(spread(times["nablax"].cpu).scaled(1e3)), f"{errors['nablax']:.1e}"]
            if PEER in programs:
                gain = ratio(times[PEER].cpu, times["nablax"].cpu)
                goal = ("met" if gain.middle >= GOAL else "missed") if steps >= 1000 else ""
                milliseconds = ranged(spread(times[PEER].cpu).scaled(1e3))
                row += [milliseconds, f"{errors[PEER]:.1e}", ranged(gain), goal]
            rows.append(row)
    head = ("steps", "nablax CPU ms", "error", f"{PEER} CPU ms", "error", "ratio", f"goal ≥ {GOAL:g}")
    print(table(head[: len(rows[0])], rows))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
