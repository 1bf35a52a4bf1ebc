"""Cells beyond the ends of the axes, and the state outside a wall's faces.

Mirrors reflect the state, with the sign of what is odd turned. At an open side the state outside a face
is what its conditions prescribe, and the state inside where they prescribe no value; the ghost cells, which
only the reconstruction inside reads, continue the solution: smoothly where it is smooth there, else flatly.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.lowering import Environment, Operand, evaluate
from nablax.backends.smooth_rows import smoothness
from nablax.backends.volumes.cells import centres
from nablax.passes.openings import Opening
from nablax.plan import Plan
from nablax.system import Boundary


def padded(
    y: Sequence[Array], plan: Plan, sides: Sequence[Opening], ghosts: int, values: Environment
) -> tuple[Array, ...]:
    """The averages with `ghosts` cells beyond either end of every axis; `values` holds time, parameters."""
    arrays = list(y)
    widths = [0] * len(plan.grid)
    for k, axis in enumerate(plan.grid):
        n = axis.n
        if axis.periodic:
            arrays = [
                jnp.concatenate([_slab(a, k, n - ghosts, n), a, _slab(a, k, 0, ghosts)], axis=k)
                for a in arrays
            ]
        else:
            pair = [s for s in sides if s.axis == k]
            around = along(plan, k, widths, values)
            arrays = [
                jnp.concatenate(
                    [
                        _ghosts(a, u, pair[0], plan, ghosts, around)[::1],
                        a,
                        _ghosts(a, u, pair[1], plan, ghosts, around),
                    ],
                    axis=k,
                )
                for u, a in enumerate(arrays)
            ]
        widths[k] = ghosts
    return tuple(arrays)


def outside(inner: Sequence[Array], opening: Opening, values: Environment) -> tuple[Array, ...]:
    """The state on the far side of the faces of a wall; `inner` is the one inside, one face thick.

    `values` holds time, parameters and the coordinates of those faces.
    """
    result = []
    for u, state in enumerate(inner):
        condition = opening.given[u]
        if condition is None or not condition.dirichlet:
            result.append(state)
            continue
        value = prescribed(condition, state, values)
        mirrored = opening.signs is not None
        result.append(2 * value - state if mirrored else value)
    return tuple(result)


def prescribed(condition: Boundary, like: Array, values: Environment) -> Array:
    """The value of a condition, or the derivative along the axis that it prescribes."""
    coefficient = sp.Add(*(t.coefficient for t in condition.terms))
    return _value(condition.data / coefficient, like, values)


def _value(expression: sp.Expr, like: Array, values: Environment) -> Array:
    (found,) = evaluate((expression,), values)
    return jnp.broadcast_to(jnp.asarray(found, like.dtype), like.shape)


def along(plan: Plan, axis: int, widths: Sequence[int], values: Environment) -> dict[sp.Basic, Operand]:
    """Coordinates along a wall, over the cells and the ghosts already attached; kept inside the box, for
    data need not exist beyond."""
    found = dict(values)
    for k, grid in enumerate(plan.grid):
        if k != axis:
            symbol = plan.system.axes[k].symbol
            line = centres(plan, widths[k])[symbol]
            found[symbol] = line if grid.periodic else jnp.clip(line, grid.lower, grid.upper)
    return found


def _ghosts(
    array: Array, unknown: int, opening: Opening, plan: Plan, count: int, around: Environment
) -> Array:
    """The cells beyond one side, in the order of the axis."""
    k, n = opening.axis, plan.grid[opening.axis].n
    inwards = range(n) if opening.side == 0 else range(n - 1, -1, -1)
    near = [_slab(array, k, j, j + 1) for j in inwards[:5]]
    if opening.signs is not None and opening.exact:
        found = [opening.signs[unknown] * _slab(array, k, j, j + 1) for j in inwards[:count]]
    else:
        found = _continued(near, opening, opening.given[unknown], plan, count, around)
    return jnp.concatenate(found[::-1] if opening.side == 0 else found, axis=k)


def _continued(
    near: Sequence[Array],
    opening: Opening,
    condition: Boundary | None,
    plan: Plan,
    count: int,
    around: Environment,
) -> list[Array]:
    first = near[0]
    if condition is None:
        simple, nodes, orders = [first] * count, list(near), None
        smooth = smoothness(near)
    elif condition.dirichlet:
        value = prescribed(condition, first, around)
        simple = [(2 * g + 2) * value - (2 * g + 1) * first for g in range(count)]
        nodes, orders = [value, *near[:4]], 0
        smooth = smoothness([2 * value - first, *near[:4]])
    else:
        inwards = plan.grid[opening.axis].spacing * (-1 if opening.side else 1)
        slope = inwards * prescribed(condition, first, around)
        simple = [first - (g + 1) * slope for g in range(count)]
        nodes, orders = [slope, *near[:4]], 1
        smooth = smoothness(near)
    if plan.order == 2:
        return simple
    weights = extrapolation(count, orders)
    return [a + smooth * (sum_of(row, nodes) - a) for a, row in zip(simple, weights, strict=True)]


def extrapolation(count: int, given: int | None) -> np.ndarray:
    """Weights of shape (count, 5): averages over the cells -1, -2, ... of the quartic through the averages
    over the cells 0 .. 4, or through those over 0 .. 3 and the `given`-th derivative at the wall, inwards."""
    powers = np.arange(5)

    def averages(cell: int) -> np.ndarray:
        return np.asarray(((cell + 1.0) ** (powers + 1) - float(cell) ** (powers + 1)) / (powers + 1))

    rows = [] if given is None else [np.eye(5)[given]]
    rows += [averages(i) for i in range(5 - len(rows))]
    targets = np.array([averages(-g - 1) for g in range(count)])
    return np.asarray(np.linalg.solve(np.array(rows).T, targets.T).T)


def sum_of(weights: np.ndarray, arrays: Sequence[Array]) -> Array:
    total = float(weights[0]) * arrays[0]
    for w, a in zip(weights[1:], arrays[1:], strict=True):
        total = total + float(w) * a
    return total


def _slab(array: Array, axis: int, start: int, stop: int) -> Array:
    return lax.slice_in_dim(array, start, stop, axis=axis)
