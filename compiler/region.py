"""Regions cut out of a box: where their relations hold, which walls they reach, normals of their curves.

What is asked here is asked at sampled points and the nominal parameters; a piece smaller than the spacing of
the samples is not seen.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from nablax.continuity import suspect
from nablax.problem import Axis, Cut, Parameter, Problem, Side
from nablax.sampling import sample

DIMENSIONS = (2, 3)
PROBE = {1: 4096, 2: 256, 3: 64}  # cells along each of so many axes
SIDES: tuple[Side, Side] = (0, 1)

Wall = tuple[int, Side]
"""Index of an axis, and side."""
Places = Mapping[sp.Basic, np.ndarray]
"""Coordinates and parameters by symbol, of shapes that broadcast."""


def outward_normal(cut: Cut, symbols: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...] | None:
    """∇φ/|∇φ| of the relation φ < 0; None where φ is not proven to be smooth."""
    if suspect(cut.value):
        return None
    slopes = [sp.diff(cut.value, x) for x in symbols]
    length = sp.sqrt(sp.factor_terms(sp.Add(*(s**2 for s in slopes))))
    return tuple(s / length for s in slopes)


def nominal(parameters: Sequence[Parameter]) -> dict[sp.Basic, np.ndarray]:
    return {p.symbol: np.asarray(float(p.value)) for p in parameters}


def holds(cuts: Sequence[Cut], places: Places) -> np.ndarray:
    """Whether all relations hold, at places; where one has no value it does not."""
    found = np.asarray(True)
    for cut in cuts:
        level = sample(cut.value, places)
        found = found & (np.isreal(level) & (np.real(level) < 0))
    return found


def probe(
    axes: Sequence[Axis], values: Mapping[sp.Basic, np.ndarray], wall: Wall | None = None
) -> dict[sp.Basic, np.ndarray]:
    """Centres of cells of the box, or of one of its walls, with the parameters."""
    free = [k for k in range(len(axes)) if wall is None or k != wall[0]]
    cells = PROBE.get(len(free), 1)
    places = dict(values)
    for k, axis in enumerate(axes):
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        if k in free:
            shape = [cells if j == k else 1 for j in range(len(axes))]
            places[axis.symbol] = (low + (high - low) * (np.arange(cells) + 0.5) / cells).reshape(shape)
        elif wall is not None:
            places[axis.symbol] = np.asarray(high if wall[1] else low).reshape([1] * len(axes))
    return places


def bounds(cuts: Sequence[Cut], which: int, places: Places, inside: np.ndarray) -> bool:
    """Whether the curve of a relation is an edge of the region: beside cells `inside` there are some that
    this relation alone leaves out."""
    others = holds([*cuts[:which], *cuts[which + 1 :]], places) & np.ones_like(inside)
    cut_off = others & ~inside
    for k in range(inside.ndim):
        first = [slice(None)] * inside.ndim
        second = [slice(None)] * inside.ndim
        first[k], second[k] = slice(None, -1), slice(1, None)
        a, b = tuple(first), tuple(second)
        if np.any(inside[a] & cut_off[b]) or np.any(cut_off[a] & inside[b]):
            return True
    return False


def share(problem: Problem, wall: Wall | None = None) -> float:
    """The part of the box, or of one of its walls, that lies in the region."""
    if not problem.cuts:
        return 1.0
    places = probe(problem.axes, nominal(problem.parameters), wall)
    shape = np.broadcast_shapes(*(np.shape(places[a.symbol]) for a in problem.axes))
    return float(np.mean(np.broadcast_to(holds(problem.cuts, places), shape)))


def unreached(
    cuts: Sequence[Cut], axes: Sequence[Axis], values: Mapping[sp.Basic, np.ndarray]
) -> frozenset[Wall]:
    """The walls of the box that no point of the region lies on."""
    if not cuts:
        return frozenset()
    walls = [(k, side) for k, axis in enumerate(axes) if not axis.periodic for side in SIDES]
    return frozenset(w for w in walls if not np.any(holds(cuts, probe(axes, values, w))))


def walls_unreached(problem: Problem) -> frozenset[Wall]:
    """The same of a problem."""
    return unreached(problem.cuts, problem.axes, nominal(problem.parameters))
