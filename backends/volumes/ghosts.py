"""Cells beyond the ends of the axes, which reconstructions beside an end read.

Mirrors reflect the state, with the sign of what is odd turned. Beyond an open side the solution is continued:
smoothly where it is smooth there, else flatly. Waves that leave continue it from inside alone, for no
condition has a say in them; those that enter have the value or the slope of the conditions (S. Tan, C.-W.
Shu, J. Comput. Phys. 229 (2010) 8144). Both ends of an axis are made at once, in arrays two cells thick.
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.lowering import Environment
from nablax.backends.smooth_rows import smoothness
from nablax.backends.volumes.passage import Passage
from nablax.backends.volumes.reconstruction import minmod
from nablax.backends.volumes.walls import along, prescribed, sum_of
from nablax.passes.openings import Opening
from nablax.plan import Plan

CELLS = {2: 3, 5: 5}
"""Cells inside that those beyond are made of."""


def padded(
    y: Sequence[Array],
    plan: Plan,
    sides: Sequence[Opening],
    ghosts: int,
    values: Environment,
    passage: Passage | None,
) -> tuple[Array, ...]:
    """The averages with `ghosts` cells beyond either end of every axis; `values` holds time, parameters.

    Without a `passage` every condition has its say, as it has in what diffuses.
    """
    state = jnp.stack(list(y))
    widths = [0] * len(plan.grid)
    for k, axis in enumerate(plan.grid):
        n = axis.n
        if axis.periodic:
            below, above = _slab(state, k, n - ghosts, n), _slab(state, k, 0, ghosts)
        else:
            pair = [s for s in sides if s.axis == k]
            below, above = _ends(state, pair, plan, ghosts, widths, values, passage)
        state = jnp.concatenate([below, state, above], axis=k + 1)
        widths[k] = ghosts
    return tuple(state)


def _ends(
    state: Array,
    pair: Sequence[Opening],
    plan: Plan,
    count: int,
    widths: Sequence[int],
    values: Environment,
    passage: Passage | None,
) -> tuple[Array, Array]:
    """The cells beyond the lower and the upper end of an axis, in its order; `widths` cells are attached to
    the other axes."""
    k, n = pair[0].axis, plan.grid[pair[0].axis].n
    mirrors = [o.signs is not None and o.exact for o in pair]
    rows = [[], []] if all(mirrors) else _open(state, pair, plan, count, widths, values, passage)
    ends = []
    for opening, mirror, row in zip(pair, mirrors, rows, strict=True):
        if mirror:
            assert opening.signs is not None
            inwards = range(count) if opening.side == 0 else range(n - 1, n - 1 - count, -1)
            signs = jnp.asarray(opening.signs, plan.dtype).reshape(-1, *(1,) * len(plan.grid))
            row = [signs * _slab(state, k, j, j + 1) for j in inwards]
        ends.append(jnp.concatenate(row[::-1] if opening.side == 0 else row, axis=k + 1))
    return ends[0], ends[1]


def _open(
    state: Array,
    pair: Sequence[Opening],
    plan: Plan,
    count: int,
    widths: Sequence[int],
    values: Environment,
    passage: Passage | None,
) -> list[list[Array]]:
    """The cells beyond either end, the nearest first."""
    k, n = pair[0].axis, plan.grid[pair[0].axis].n
    near = [
        jnp.concatenate([_slab(state, k, j, j + 1), _slab(state, k, n - 1 - j, n - j)], axis=k + 1)
        for j in range(min(CELLS[plan.order], n))
    ]
    cells = continued(near, plan.order, count)
    if any(c is not None for o in pair for c in o.given):
        around = along(plan, k, widths, values)
        told = _told(near, pair, plan, count, widths, values)
        changes = jnp.where(
            _mask(pair, plan, lambda o, u: o.given[u] is not None)[None], told - jnp.stack(cells), 0.0
        )
        if passage is not None:
            shape = tuple(2 if j == k else 1 for j in range(len(plan.grid)))
            grid = plan.grid[k]
            around[plan.system.axes[k].symbol] = jnp.asarray(
                np.array([grid.lower, grid.upper]).reshape(shape), plan.dtype
            )
            free = _mask(pair, plan, lambda o, u: o.signs is None)
            entering = passage.entering(pair, at_wall(near, plan.order), near[0], around, changes)
            changes = jnp.where(free[None], entering, changes)
        inside = _inside(plan, k, widths)
        if inside is not None:
            changes = jnp.where(inside, changes, 0.0)
        cells = [a + change for a, change in zip(cells, changes, strict=True)]
    return [[_slab(a, k, side, side + 1) for a in cells] for side in (0, 1)]


def _mask(pair: Sequence[Opening], plan: Plan, holds: Callable[[Opening, int], bool]) -> np.ndarray:
    """Where something holds of an unknown at an end; shape (unknowns, ...), two thick along the axis."""
    count, k = len(plan.system.unknowns), pair[0].axis
    shape = (count, *(2 if j == k else 1 for j in range(len(plan.grid))))
    return np.array([[holds(o, u) for o in pair] for u in range(count)]).reshape(shape)


def _inside(plan: Plan, axis: int, widths: Sequence[int]) -> Array | None:
    """Which cells along a wall lie in the box: beyond the ends of other axes conditions say nothing."""
    found = None
    rank = len(plan.grid)
    for k, grid in enumerate(plan.grid):
        if k == axis or grid.periodic or not widths[k]:
            continue
        shape = (1, 1, *(grid.n + 2 * widths[k] if j == k else 1 for j in range(rank)))
        index = lax.broadcasted_iota(jnp.int32, shape, k + 2) - widths[k]
        here = (index >= 0) & (index < grid.n)
        found = here if found is None else found & here
    return found


def continued(near: Sequence[Array], order: int, count: int) -> list[Array]:
    """The cells beyond a wall from those inside, both the nearest first."""
    first = near[0]
    if order == 2:
        step = minmod(first - near[1], near[1] - near[2])
        return [first + (g + 1) * step for g in range(count)]
    smooth = smoothness(near)
    rows = extrapolation(count, None)
    return [first + smooth * (sum_of(row, near) - first) for row in rows]


def at_wall(near: Sequence[Array], order: int) -> Array:
    """The value at a wall that the cells inside go on to."""
    first = near[0]
    if order == 2:
        return first + minmod(first - near[1], near[1] - near[2]) / 2
    return first + smoothness(near) * (sum_of(WALL_VALUE, near) - first)


def _told(
    near: Sequence[Array],
    pair: Sequence[Opening],
    plan: Plan,
    count: int,
    widths: Sequence[int],
    values: Environment,
) -> Array:
    """The cells beyond the ends as their conditions have them, the nearest first, stacked; of no meaning
    where there is none."""
    k, first = pair[0].axis, near[0]
    single = _slab(first, k, 0, 1)[0]
    known = []
    for u in range(len(first)):
        ends = []
        for opening in pair:
            condition = opening.given[u]
            if condition is None:
                ends.append(jnp.zeros_like(single))
                continue
            given = prescribed(condition, single, plan, widths, values)
            if not condition.dirichlet:
                given = plan.grid[k].spacing * (-1 if opening.side else 1) * given
            ends.append(given)
        known.append(jnp.concatenate(ends, axis=k))
    given = jnp.stack(known)
    value = _mask(pair, plan, lambda o, u: (c := o.given[u]) is not None and c.dirichlet)
    # A slope holds no constant: what is missed at the wall adds up there, and must be an order less.
    if plan.order == 2:
        return jnp.stack(
            [
                jnp.where(value, (2 * g + 2) * given - (2 * g + 1) * first, near[g] - (2 * g + 1) * given)
                for g in range(count)
            ]
        )
    row = [2 * given - first, *near[:4]]
    smooth = smoothness([jnp.where(value, a, b) for a, b in zip(row, near, strict=True)])
    by_value, by_slope = extrapolation(count, 0), extrapolation(count, 1)
    found = []
    for g in range(count):
        weights = [np.where(value, a, b) for a, b in zip([*by_value[g], 0.0], by_slope[g], strict=True)]
        polynomial = weights[0] * given
        for weight, a in zip(weights[1:], near, strict=True):
            polynomial = polynomial + weight * a
        simple = jnp.where(value, (2 * g + 2) * given - (2 * g + 1) * first, first - (g + 1) * given)
        found.append(simple + smooth * (polynomial - simple))
    return jnp.stack(found)


def extrapolation(count: int, given: int | None) -> np.ndarray:
    """Weights of the averages over the cells -1, -2, ... of the polynomial through those over the cells
    0 .. 4, shape (count, 5); or through a value at the wall (`given` = 0) and 0 .. 3, or the derivative there
    inwards (1) and 0 .. 4, shape (count, 6)."""
    size = 6 if given == 1 else 5
    rows = [] if given is None else [np.eye(size)[given]]
    rows += [_averages(i, size) for i in range(size - len(rows))]
    targets = np.array([_averages(-g - 1, size) for g in range(count)])
    return np.asarray(np.linalg.solve(np.array(rows).T, targets.T).T)


def _averages(cell: int, size: int) -> np.ndarray:
    """Of the powers below `size` of the distance from the wall, over a cell of length 1."""
    powers = np.arange(size)
    return np.asarray(((cell + 1.0) ** (powers + 1) - float(cell) ** (powers + 1)) / (powers + 1))


WALL_VALUE = np.linalg.solve(np.array([_averages(i, 5) for i in range(5)]).T, np.eye(5)[0])


def _slab(state: Array, axis: int, start: int, stop: int) -> Array:
    """Cells along an axis of all unknowns, stacked."""
    return lax.slice_in_dim(state, start, stop, axis=axis + 1)
