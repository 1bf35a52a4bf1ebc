"""Signs of coefficients at the two ends of an axis: which way they carry what they multiply there."""

from collections.abc import Collection

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.problem import Problem, Side
from nablax.region import SIDES, nominal
from nablax.sampling import sample

SAMPLES = 33  # along every other axis and in time
ROUNDING = 1e-12  # relative to the largest value on both walls


def signs_at_walls(problem: Problem, axis: int, coefficient: sp.Expr) -> tuple[int | None, int | None]:
    """The sign on the lower and the upper wall at the nominal parameters: None where it changes along the
    wall or in time, or where the coefficient holds fields; 0 where it vanishes everywhere on the wall.

    Asked at sampled places and times: a change that lies between them is not seen.
    """
    if coefficient.has(AppliedUndef):
        return None, None
    found = [
        np.real(sample(coefficient, at_wall(problem, axis, side, coefficient.free_symbols))) for side in SIDES
    ]
    scale = max(float(np.max(np.abs(f))) for f in found)
    if not np.isfinite(scale):
        return None, None
    lower, upper = (_sign(f, ROUNDING * scale) for f in found)
    return lower, upper


def at_wall(
    problem: Problem, axis: int, side: Side, symbols: Collection[sp.Basic]
) -> dict[sp.Basic, np.ndarray]:
    """Places on a wall and times, spread along those axes that are among the symbols, with the parameters."""
    values = nominal(problem.parameters)
    others = [a for k, a in enumerate(problem.axes) if k != axis]
    others += [problem.time] if problem.time is not None else []
    free = [a for a in others if a.symbol in symbols]
    lines = []
    for a in free:
        low, high = (float(sample(end, values)) for end in (a.lower, a.upper))
        lines.append(np.linspace(low, high, SAMPLES))
    grids = np.meshgrid(*lines, indexing="ij")
    wall = problem.axes[axis]
    end = np.asarray(sample((wall.lower, wall.upper)[side], values))
    return values | {a.symbol: g for a, g in zip(free, grids, strict=True)} | {wall.symbol: end}


def _sign(values: np.ndarray, nothing: float) -> int | None:
    low, high = float(values.min()), float(values.max())
    if low >= -nothing and high <= nothing:
        return 0
    if low >= -nothing:
        return 1
    return -1 if high <= nothing else None
