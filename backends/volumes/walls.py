"""The state outside the faces of walls, and the data of their conditions.

Mirrors reflect the state, with the sign of what is odd turned. At an open side the state outside a face is
what its conditions prescribe, and what the ghost cells make of it where they prescribe no value.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Environment, Operand, evaluate
from nablax.backends.quadrature import cell_rule
from nablax.backends.volumes.cells import centres
from nablax.continuity import suspect
from nablax.passes.openings import Opening
from nablax.plan import Plan
from nablax.system import Boundary


def outside(
    inner: Sequence[Array],
    beyond: Sequence[Array],
    opening: Opening,
    plan: Plan,
    values: Environment,
    widths: Sequence[int] | None,
) -> tuple[Array, ...]:
    """The state on the far side of the faces of a wall; `inner` is the one inside, one face thick, `beyond`
    what the ghost cells make of it there, which stands where an open side has no value.

    `values` holds time, parameters and the coordinates of those faces. The states are averages over faces
    with `widths` cells beyond the ends of the other axes, or at the middles of them where it is None.
    """
    result = []
    mirrored = opening.signs is not None
    for u, state in enumerate(inner):
        condition = opening.given[u]
        if condition is None or not condition.dirichlet:
            # Entering waves are upwinded here as at any other face: another trace would miss the flux by as
            # much as it misses the value, which a slope holds no constant against.
            result.append(state if mirrored else beyond[u])
            continue
        if widths is None:
            value = _full(_datum(condition), state, values)
        else:
            value = prescribed(condition, state, plan, widths, values)
        result.append(2 * value - state if mirrored else value)
    return tuple(result)


def prescribed(
    condition: Boundary, like: Array, plan: Plan, widths: Sequence[int], values: Environment
) -> Array:
    """The value of a condition, or the derivative along the axis that it prescribes, averaged over the faces
    of its side beyond second order; with `widths` cells beyond the ends of the other axes."""
    datum = _datum(condition)
    here = along(plan, condition.axis, widths, values)
    moving = [k for k, a in enumerate(plan.system.axes) if k != condition.axis and datum.has(a.symbol)]
    if plan.order == 2 or not moving:
        return _full(datum, like, here)
    nodes, weights = cell_rule(len(moving), suspect(datum))
    total = jnp.zeros_like(like)
    for picked in product(range(len(nodes)), repeat=len(moving)):
        shifts = {k: float(nodes[i]) for k, i in zip(moving, picked, strict=True)}
        share = float(np.prod(weights[list(picked)]))
        total = total + share * _full(datum, like, along(plan, condition.axis, widths, values, shifts))
    return total


def _datum(condition: Boundary) -> sp.Expr:
    return condition.data / sp.Add(*(t.coefficient for t in condition.terms))


def _full(expression: sp.Expr, like: Array, values: Environment) -> Array:
    (found,) = evaluate((expression,), values)
    return jnp.broadcast_to(jnp.asarray(found, like.dtype), like.shape)


def along(
    plan: Plan,
    axis: int,
    widths: Sequence[int],
    values: Environment,
    shifts: Mapping[int, float] | None = None,
) -> dict[sp.Basic, Operand]:
    """Coordinates along a wall, over the cells and the ghosts already attached, moved by `shifts` in cells;
    kept inside the box, for data need not exist beyond."""
    found = dict(values)
    for k, grid in enumerate(plan.grid):
        if k != axis:
            symbol = plan.system.axes[k].symbol
            line = centres(plan, widths[k])[symbol] + (shifts or {}).get(k, 0.0) * grid.spacing
            found[symbol] = line if grid.periodic else jnp.clip(line, grid.lower, grid.upper)
    return found


def sum_of(weights: np.ndarray, arrays: Sequence[Array]) -> Array:
    total = float(weights[0]) * arrays[0]
    for w, a in zip(weights[1:], arrays[1:], strict=True):
        total = total + float(w) * a
    return total
