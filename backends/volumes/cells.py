"""Coordinates of cells and faces, and averages of known functions over cells."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.nodes import placed
from nablax.backends.quadrature import cell_rule
from nablax.continuity import suspect
from nablax.plan import Plan


def centres(plan: Plan, ghosts: int) -> dict[sp.Basic, Array]:
    """Coordinates of the cell centres with `ghosts` further ones, each of size 1 along the other axes.

    Periodic coordinates wrap, others go on beyond the walls.
    """
    return _coordinates(plan, [(0.5, -ghosts, a.n + ghosts) for a in plan.grid])


def faces(plan: Plan, axis: int, ghosts: int) -> dict[sp.Basic, Array]:
    """Coordinates of the middles of all faces across an axis, with `ghosts` cells along the others."""
    ranges = [
        (0.0, 0, a.n + 1) if k == axis else (0.5, -ghosts, a.n + ghosts) for k, a in enumerate(plan.grid)
    ]
    return _coordinates(plan, ranges)


def _coordinates(plan: Plan, ranges: Sequence[tuple[float, int, int]]) -> dict[sp.Basic, Array]:
    found: dict[sp.Basic, Array] = {}
    with placed(plan):
        for k, (grid, axis, (offset, start, stop)) in enumerate(
            zip(plan.grid, plan.system.axes, ranges, strict=True)
        ):
            shape = tuple(stop - start if j == k else 1 for j in range(len(ranges)))
            index = lax.broadcasted_iota(jnp.int32, shape, k) + start
            if grid.periodic:
                # The face at the upper end is the one at the lower: the flux through it must be the same.
                index = index % grid.n
            found[axis.symbol] = grid.lower + (index.astype(plan.dtype) + offset) * grid.spacing
    return found


def average(expression: sp.Expr, plan: Plan, values: Mapping[sp.Basic, Operand]) -> Array:
    """The average over every cell, shape `plan.shape`; `values` holds time and parameters.

    Gauss quadrature; over parts of each cell where the function may jump, so that a jump inside a cell is
    met to a part's width. Weights are positive: averages lie between the values.
    """
    total = jnp.zeros((), plan.dtype)
    for weight, value in _values(expression, plan, values):
        total = total + weight * value
    return jnp.broadcast_to(total, plan.shape)


def extremes(expression: sp.Expr, plan: Plan, values: Mapping[sp.Basic, Operand]) -> tuple[Array, Array]:
    """The least and the largest value at the nodes that averages are made of."""
    found = [value for _, value in _values(expression, plan, values)]
    least, most = jnp.min(found[0]), jnp.max(found[0])
    for value in found[1:]:
        least, most = jnp.minimum(least, jnp.min(value)), jnp.maximum(most, jnp.max(value))
    return least, most


def _values(
    expression: sp.Expr, plan: Plan, values: Mapping[sp.Basic, Operand]
) -> Iterator[tuple[float, Array]]:
    """(weight, values at one node of every cell); one node along axes that the expression does not hold."""
    nodes, weights = cell_rule(len(plan.grid), suspect(expression))
    here = centres(plan, 0)
    used = [k for k, a in enumerate(plan.system.axes) if expression.has(a.symbol)]
    for picked in product(range(len(nodes)), repeat=len(used)):
        moved = dict(here)
        for k, i in zip(used, picked, strict=True):
            symbol = plan.system.axes[k].symbol
            moved[symbol] = here[symbol] + float(nodes[i]) * plan.grid[k].spacing
        (value,) = evaluate((expression,), {**values, **moved})
        yield float(np.prod(weights[list(picked)])), jnp.asarray(value, plan.dtype)
