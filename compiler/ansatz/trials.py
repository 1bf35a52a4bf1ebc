"""Identities tried at random points with random values for networks: what holds there, holds for all."""

import numpy as np
import sympy as sp

from nablax.passes.jets import jets
from nablax.problem import Axis, Problem
from nablax.sampling import sample

POINTS = 16
SEED = 20
ROUNDING = 1e-9
DIFFERENTIATED = 1e-6  # rounding that derivatives have made larger


def frozen(value: sp.Expr, values: dict[sp.Basic, np.ndarray]) -> sp.Expr:
    """Derivatives of the network as numbers of their own."""
    random = np.random.default_rng(SEED + 1)
    names: dict[sp.Basic, sp.Expr] = {}
    for jet in sorted(jets(value), key=sp.default_sort_key):
        names[jet] = sp.Dummy(real=True)
        values[names[jet]] = random.standard_normal(POINTS)
    return value.xreplace(names)


def random_values(problem: Problem) -> dict[sp.Basic, np.ndarray]:
    """Parameters at their values, coordinates at random points of the domain."""
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    random = np.random.default_rng(SEED)
    for axis in problem.axes if problem.time is None else (*problem.axes, problem.time):
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        values[axis.symbol] = low + (high - low) * random.random(POINTS)
    return values


def agree(a: np.ndarray, b: np.ndarray, tolerance: float = ROUNDING) -> bool:
    """Whether two results are the same but for rounding."""
    scale = 1 + np.max(np.abs(b), initial=0.0)
    return bool(np.all(np.abs(a - b) <= tolerance * scale))


def closes(problem: Problem, value: sp.Expr, axis: Axis, count: int) -> bool:
    """Whether a function and its derivatives, `count` in all, agree at both ends of a periodic axis if the
    network's do."""
    for k in range(count):
        slope = sp.diff(value, axis.symbol, k)
        ends = []
        for end in (axis.lower, axis.upper):
            values = random_values(problem)
            values[axis.symbol] = np.full(POINTS, float(sample(end, values)))
            ends.append(sample(frozen(slope, values), values))
        if not agree(ends[0], ends[1], DIFFERENTIATED):
            return False
    return True
