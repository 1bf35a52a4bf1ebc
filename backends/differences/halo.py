"""Ghost values around the nodes of one unknown: periodic copies and wall closures.

Halos are rebuilt by concatenation, axis after axis; bounded axes first, so that wall data are only asked
for at wall positions of the box, then periodic ones, which copy whatever ghosts they meet.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.differences.kernels import plus, times, weighted
from nablax.backends.differences.layout import Place, Region, coordinates, slab
from nablax.backends.differences.traces import Traced, extended
from nablax.backends.differences.walls import Condition, Wall, closure, condition_weights, extension
from nablax.backends.lowering import Operand, evaluate
from nablax.plan import Plan

Scalars = Mapping[sp.Basic, Operand]
"""Values of the parameters, and of time where it is known."""


def pad(array: Array, place: Place, plan: Plan, scalars: Scalars, homogeneous: bool, traced: Traced) -> Array:
    """The nodal array with its halo. `homogeneous` takes all wall data for zero; `traced` holds those that
    depend on the unknowns."""
    order = sorted(range(len(plan.grid)), key=lambda k: plan.grid[k].periodic)
    padded = [(0, 0)] * len(plan.grid)
    for k in order:
        lower, upper = place.halo[k]
        if lower == upper == 0:
            continue
        walls = place.walls[k]
        if walls is None:
            n = plan.grid[k].n
            blocks = [slab(array, k, n - lower, n), array, slab(array, k, 0, upper)]
        else:
            ghosts = [_ghosts(array, w, place, padded, plan, scalars, homogeneous, traced) for w in walls]
            blocks = [*ghosts[0], array, *ghosts[1]]
        array = jnp.concatenate([b for b in blocks if b.shape[k]], axis=k)
        padded[k] = (lower, upper)
    return array


def face(plan: Plan, wall: Wall, padded: Sequence[tuple[int, int]], extend: bool) -> Mapping[sp.Basic, Array]:
    """Coordinates of a wall, of size 1 along its axis, over the nodes and the halos already attached.

    Without `extend` the positions in a halo are moved onto the nearest node: their values are never read,
    and data need not exist outside the box.
    """
    region: Region = tuple((-lo, axis.points + hi) for axis, (lo, hi) in zip(plan.grid, padded, strict=True))
    position = 0 if wall.side == 0 else plan.grid[wall.axis].points - 1
    region = tuple((position, position + 1) if k == wall.axis else r for k, r in enumerate(region))
    found = coordinates(plan, region)
    if extend:
        return found
    limits = {a.symbol: (g.lower, g.upper) for a, g in zip(plan.system.axes, plan.grid, strict=True)}
    return {
        symbol: jnp.clip(value, *limits[symbol]) if padded[k] != (0, 0) else value
        for k, (symbol, value) in enumerate(found.items())
    }


def wall_values(
    expressions: Sequence[sp.Expr],
    wall: Wall,
    plan: Plan,
    scalars: Scalars,
    padded: Sequence[tuple[int, int]],
    extend: bool,
) -> tuple[Operand, ...]:
    """Coefficients or data of a wall: numbers, scalars, or arrays over the wall."""
    return evaluate(expressions, {**scalars, **face(plan, wall, padded, extend)})


def _ghosts(
    array: Array,
    wall: Wall,
    place: Place,
    padded: Sequence[tuple[int, int]],
    plan: Plan,
    scalars: Scalars,
    homogeneous: bool,
    traced: Traced,
) -> list[Array]:
    """The ghosts in the order of the axis, each one node thick."""
    if wall.halo == 0:
        return []
    k, size = wall.axis, array.shape[wall.axis]
    data = _data(wall, place, padded, plan, scalars, homogeneous, array, traced)
    inwards = range(wall.near) if wall.side == 0 else range(size - 1, size - 1 - wall.near, -1)
    near = [slab(array, k, j, j + 1) for j in inwards]
    if wall.turn is not None:
        half = plan.grid[wall.turn].n // 2
        near = [jnp.roll(a, half, axis=wall.turn) for a in near]
    outwards = (
        _constant_closure(wall, near, data)
        if wall.numeric
        else _varying_closure(wall, near, data, place, padded, plan, scalars)
    )
    return outwards if wall.side == 1 else outwards[::-1]


def _data(
    wall: Wall,
    place: Place,
    padded: Sequence[tuple[int, int]],
    plan: Plan,
    scalars: Scalars,
    homogeneous: bool,
    like: Array,
    traced: Traced,
) -> list[Operand | None]:
    """Data of the wall's conditions, None where they vanish identically."""
    if homogeneous:
        return [None] * len(wall.conditions)
    found: list[Operand | None] = []
    for i, condition in enumerate(wall.conditions):
        if (wall, i) in traced:
            value = extended(traced[wall, i], wall, plan, padded, place.mixed)
        else:
            (value,) = wall_values([condition.data], wall, plan, scalars, padded, place.mixed)
        found.append(None if condition.data == 0 else _cast(value, like))
    return found


def _cast(value: Operand, like: Array) -> Operand:
    return value.astype(like.dtype) if isinstance(value, Array) and value.dtype != like.dtype else value


def _constant_closure(wall: Wall, near: Sequence[Array], data: Sequence[Operand | None]) -> list[Array]:
    matrix, source = closure(wall, numbers(wall))
    result = []
    for row, extra in zip(matrix, source, strict=True):
        value: Operand = _combine(row, near)
        for weight, datum in zip(extra, data, strict=True):
            if datum is not None and weight != 0.0:
                value = plus(value, times(float(weight), datum))
        assert isinstance(value, Array)
        result.append(jnp.broadcast_to(value, near[0].shape))
    return result


def numbers(wall: Wall) -> tuple[tuple[float, ...], ...]:
    """The coefficients of a numeric wall's conditions."""
    return tuple(tuple(float(t.coefficient) for t in c.terms) for c in wall.conditions)


def _combine(row: np.ndarray, arrays: Sequence[Array]) -> Array:
    # Integers are restored from rounding noise, so that exact reflections stay exact.
    scale = float(np.max(np.abs(row), initial=0.0))
    groups: dict[float, list[tuple[int, Array]]] = {}
    for w, array in zip(row, arrays, strict=True):
        weight = float(np.round(w)) if abs(w - np.round(w)) < 1e-13 * scale else float(w)
        if weight == 0.0:
            continue
        if -weight in groups:
            groups[-weight].append((-1, array))
        else:
            groups.setdefault(weight, []).append((1, array))
    if not groups:
        return jnp.zeros_like(arrays[0])
    return jnp.asarray(weighted(list(groups.items())))


def _varying_closure(
    wall: Wall,
    near: Sequence[Array],
    data: Sequence[Operand | None],
    place: Place,
    padded: Sequence[tuple[int, int]],
    plan: Plan,
    scalars: Scalars,
) -> list[Array]:
    """Coefficients that hold parameters or coordinates: the primary ghosts are solved for at run time."""
    q = len(wall.conditions)
    highest = max(t.order for c in wall.conditions for t in c.terms)
    weights = condition_weights(wall, highest)
    rows: list[list[Operand]] = []
    right: list[Operand] = []
    for condition, datum in zip(wall.conditions, data, strict=True):
        values = _coefficients(condition, wall, place, padded, plan, scalars)
        row: list[Operand] = []
        for j in range(weights.shape[1]):
            entry: Operand = 0.0
            for value, term in zip(values, condition.terms, strict=True):
                weight = float(weights[term.order, j])
                if weight != 0.0:
                    entry = plus(entry, times(weight, value))
            row.append(entry)
        total: Operand = 0.0 if datum is None else datum
        for entry, node in zip(row[q:], near, strict=True):
            if not (isinstance(entry, float) and entry == 0.0):
                total = plus(total, times(-1.0, times(_cast(entry, node), node)))
        rows.append(row[:q])
        right.append(total)
    primary = [jnp.broadcast_to(jnp.asarray(p, near[0].dtype), near[0].shape) for p in _solve(rows, right)]
    nodes = [*primary, *near]
    further = [_combine(row, nodes) for row in extension(wall)]
    return [*reversed(primary), *further][: wall.halo]


def _coefficients(
    condition: Condition,
    wall: Wall,
    place: Place,
    padded: Sequence[tuple[int, int]],
    plan: Plan,
    scalars: Scalars,
) -> tuple[Operand, ...]:
    return wall_values([t.coefficient for t in condition.terms], wall, plan, scalars, padded, place.mixed)


def _solve(rows: list[list[Operand]], right: list[Operand]) -> list[Operand]:
    """Cramer's rule: one to three conditions on a side, pointwise along the wall."""
    full = _determinant(rows)
    result = []
    for j in range(len(rows)):
        replaced = [[*row[:j], value, *row[j + 1 :]] for row, value in zip(rows, right, strict=True)]
        numerator = _determinant(replaced)
        result.append(times(numerator, 1.0 / full))
    return result


def _determinant(rows: list[list[Operand]]) -> Operand:
    if len(rows) == 1:
        return rows[0][0]
    total: Operand = 0.0
    for j, entry in enumerate(rows[0]):
        minor = _determinant([[*row[:j], *row[j + 1 :]] for row in rows[1:]])
        total = plus(total, times((-1.0) ** j, times(entry, minor)))
    return total
