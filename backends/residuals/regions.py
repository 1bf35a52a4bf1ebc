"""Points of regions cut out of a box: which lie inside, and points spread evenly over the curves.

A curve (in space: a surface) is found as the facets where a fine simplicial grid crosses the zero of its
relation (marching simplices; A. Doi, A. Koide, IEICE Trans. E74 (1991) 214). Points are drawn evenly on the
facets, by their size, and moved across them onto the curve by bisection, which asks nothing of the relation
but its sign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import sympy as sp

from nablax.derivatives.statements import edge_place
from nablax.problem import Cut, Problem
from nablax.region import holds, nominal
from nablax.sampling import sample

CELLS = {2: 256, 3: 48}  # along each axis, of the grid that finds the curves
HALVINGS = 50  # of a cell's width
# Pairs of corners, lowest value of the relation first, whose edges the facets cross; by how many are inside.
CROSSED: Mapping[int, Mapping[int, tuple[tuple[tuple[int, int], ...], ...]]] = {
    2: {1: (((0, 1), (0, 2)),), 2: (((0, 2), (1, 2)),)},
    3: {
        1: (((0, 1), (0, 2), (0, 3)),),
        2: (((0, 2), (0, 3), (1, 3)), ((0, 2), (1, 3), (1, 2))),
        3: (((0, 3), (1, 3), (2, 3)),),
    },
}


@dataclass(frozen=True, slots=True)
class Facets:
    """Simplices of a curve: corners [facets, d, d] (the last axis holds coordinates), and the shares of the
    whole size at which they end [facets]; `width` is that of a cell."""

    corners: np.ndarray
    ends: np.ndarray
    width: float


def edge_of(problem: Problem, place: str) -> int | None:
    """The cut whose curve a place is."""
    return next((k for k, cut in enumerate(problem.cuts) if place == edge_place(cut)), None)


def inside(problem: Problem, points: np.ndarray, but: int | None = None) -> np.ndarray:
    """Whether points [n, axes or more] lie in the region, the relation `but` left aside: [n]."""
    kept = [cut for k, cut in enumerate(problem.cuts) if k != but]
    return np.broadcast_to(holds(kept, _places(problem, points)), len(points))


def near(problem: Problem, points: np.ndarray, cuts: Sequence[Cut], reach: float) -> np.ndarray:
    """Whether relations all hold at points [n, axes or more] or `reach` away from them along an axis: [n]."""
    return np.asarray(np.any(_around(problem, points, cuts, reach), axis=0))


def on_edge(problem: Problem, points: np.ndarray, cut: Cut, reach: float) -> np.ndarray:
    """Whether a relation begins or ceases to hold within `reach` of points [n, axes or more]: [n]."""
    around = _around(problem, points, [cut], reach)
    return np.asarray(np.any(around, axis=0) & ~np.all(around, axis=0))


def _around(problem: Problem, points: np.ndarray, cuts: Sequence[Cut], reach: float) -> np.ndarray:
    """Whether relations hold at points and at their neighbours [2·axes + 1, n]."""
    found = []
    for step in (0.0, -reach, reach):
        for k in range(len(problem.axes) if step else 1):
            moved = points.copy()
            moved[:, k] += step
            found.append(np.broadcast_to(holds(cuts, _places(problem, moved)), len(points)))
    return np.stack(found)


def _places(problem: Problem, points: np.ndarray) -> dict[sp.Basic, np.ndarray]:
    columns = {a.symbol: points[:, k] for k, a in enumerate(problem.axes)}
    return nominal(problem.parameters) | columns


def on_curve(problem: Problem, facets: Facets, cut: int, cube: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, d] of a curve from points [n, d - 1] of the unit cube, evenly by size; and which of them
    were found [n]: where the curve comes back within a cell it may be missed."""
    which = np.minimum(np.searchsorted(facets.ends, cube[:, 0], side="right"), len(facets.ends) - 1)
    starts = np.concatenate([[0.0], facets.ends[:-1]])
    rest = np.clip((cube[:, 0] - starts[which]) / (facets.ends[which] - starts[which]), 0, 1)
    if cube.shape[1] == 1:
        weights = np.stack([1 - rest, rest], axis=-1)
    else:
        root = np.sqrt(rest)
        weights = np.stack([1 - root, root * (1 - cube[:, 1]), root * cube[:, 1]], axis=-1)
    corners = facets.corners[which]
    start: np.ndarray = np.sum(weights[:, :, None] * corners, axis=1)
    across = facets.width * _normals(corners)

    def below(shares: np.ndarray) -> np.ndarray:
        places = _places(problem, start + shares[:, None] * across)
        return np.broadcast_to(holds([problem.cuts[cut]], places), len(start))

    low, high = np.full(len(start), -1.0), np.full(len(start), 1.0)
    first = below(low)
    found = first != below(high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = below(middle) == first
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return start + ((low + high) / 2)[:, None] * across, found


def _normals(simplices: np.ndarray) -> np.ndarray:
    """Unit vectors across segments or triangles, to either side."""
    sides = simplices[:, 1:] - simplices[:, :1]
    if sides.shape[1] == 1:
        normals = np.stack([-sides[:, 0, 1], sides[:, 0, 0]], axis=-1)
    else:
        normals = np.cross(sides[:, 0], sides[:, 1])
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


def facets_of(problem: Problem, cut: int) -> Facets:
    """The facets of a curve that lie in the box."""
    values = nominal(problem.parameters)
    d = len(problem.axes)
    cells = CELLS[d]
    ends = [[float(sample(end, values)) for end in (a.lower, a.upper)] for a in problem.axes]
    lines = [low + (high - low) * np.arange(cells + 1) / cells for low, high in ends]
    nodes = np.meshgrid(*lines, indexing="ij")
    places = {**values, **{a.symbol: x for a, x in zip(problem.axes, nodes, strict=True)}}
    level = np.broadcast_to(np.real(sample(problem.cuts[cut].value, places)), nodes[0].shape)
    corners = _cut_cells(level)
    found = []
    for order in permutations(range(d)):
        steps = np.zeros((d + 1, d), int)
        for k, axis in enumerate(order):
            steps[k + 1 :, axis] += 1
        index = tuple(np.moveaxis(corners[:, None, :] + steps, -1, 0))
        own = level[index]
        points = np.stack([x[index] for x in nodes], axis=-1)
        sorting = np.argsort(own, axis=1)
        own = np.take_along_axis(own, sorting, 1)
        points = np.take_along_axis(points, sorting[:, :, None], 1)
        below = (own < 0).sum(axis=1)
        for count, facets in CROSSED[d].items():
            mine, at = own[below == count], points[below == count]
            found += [np.stack([_crossing(mine, at, *pair) for pair in facet], axis=1) for facet in facets]
    simplices = np.concatenate(found)
    simplices = simplices[_sizes(simplices) > 0]
    simplices = _chained(simplices) if d == 2 else simplices[np.lexsort(simplices.mean(axis=1).T[::-1])]
    sizes = _sizes(simplices)
    width = max(high - low for low, high in ends) / cells
    return Facets(simplices, np.cumsum(sizes) / sizes.sum(), width)


def _cut_cells(level: np.ndarray) -> np.ndarray:
    """First corners [cells, d] of the cells that hold values of both signs."""
    d = level.ndim
    below = level < 0
    some = np.zeros(tuple(n - 1 for n in level.shape), bool)
    every = np.ones_like(some)
    for corner in np.ndindex(*(2,) * d):
        part = below[tuple(slice(c, n - 1 + c) for c, n in zip(corner, level.shape, strict=True))]
        some, every = some | part, every & part
    return np.argwhere(some & ~every)


def _crossing(level: np.ndarray, points: np.ndarray, a: int, b: int) -> np.ndarray:
    """Where the relation is 0 between two corners, by its line."""
    share = level[:, a] / (level[:, a] - level[:, b])
    found: np.ndarray = points[:, a] + share[:, None] * (points[:, b] - points[:, a])
    return found


def _sizes(simplices: np.ndarray) -> np.ndarray:
    """Lengths of segments, or areas of triangles."""
    sides = simplices[:, 1:] - simplices[:, :1]
    if sides.shape[1] == 1:
        return np.asarray(np.linalg.norm(sides[:, 0], axis=1))
    return np.asarray(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2)


def _chained(segments: np.ndarray) -> np.ndarray:
    """The segments, one after the other along the curve and each from its beginning to its end."""
    scale = np.ptp(segments.reshape(-1, 2), axis=0).max()
    keys = [[tuple(p) for p in s] for s in np.round(segments / scale * 1e9).astype(np.int64)]
    at: dict[tuple[int, ...], list[int]] = {}
    for i, pair in enumerate(keys):
        for key in pair:
            at.setdefault(key, []).append(i)
    # Open pieces are begun at their ends.
    firsts = sorted(range(len(keys)), key=lambda i: min(len(at[k]) for k in keys[i]))
    found: list[np.ndarray] = []
    seen = [False] * len(keys)
    for first in firsts:
        current: int | None = first
        start = min(keys[first], key=lambda k: len(at[k]))
        while current is not None and not seen[current]:
            seen[current] = True
            forward = keys[current][0] == start
            found.append(segments[current] if forward else segments[current][::-1])
            start = keys[current][1 if forward else 0]
            current = next((i for i in at[start] if not seen[i]), None)
    return np.stack(found)
