"""Sources averaged over cells, and the integrals in them."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.volumes.cells import centres
from nablax.backends.volumes.reconstruction import to_averages, to_points
from nablax.integrals import integrals_in
from nablax.plan import Plan
from nablax.reductions import Integral

REACH = 2  # cells that a change between averages and points takes on either side


def averaged(
    expressions: Sequence[sp.Expr],
    plan: Plan,
    around: Sequence[Array],
    ghosts: int,
    values: Mapping[sp.Basic, Operand],
) -> list[Array]:
    """Averages of pointwise expressions, shape `plan.shape` each; beyond second order evaluated at the
    middles of the cells.

    `around` holds the unknowns with `ghosts` cells beyond either end of every axis, `values` time and
    parameters. The integral of a cell's average is the integral of the function itself.
    """
    known = dict(values)
    for node in dict.fromkeys(n for e in expressions for n in integrals_in(e)):
        integrand, *symbols = node.args
        (total,) = averaged([integrand], plan, around, ghosts, known)
        space = [a.symbol for a in plan.system.axes]
        along = tuple(space.index(s) for s in symbols) or tuple(range(len(space)))
        for k in along:
            total = jnp.sum(total, axis=k, keepdims=True) * plan.grid[k].spacing
        known[node] = total
    high = plan.order > 2
    reach = 2 * REACH if high else 0
    axes = range(len(plan.grid))
    state = [_cut(a, ghosts - reach) for a in around]
    if high:
        for k in axes:
            state = [to_points(a, k) for a in state]
    place = centres(plan, REACH if high else 0)
    fields = {u.value: a for u, a in zip(plan.system.unknowns, state, strict=True)}
    result = []
    for expression, value in zip(
        expressions, evaluate(expressions, {**known, **place, **fields}), strict=True
    ):
        if not expression.has(*fields, *place):
            result.append(jnp.broadcast_to(jnp.asarray(value, plan.dtype), plan.shape))
            continue
        full = jnp.broadcast_to(jnp.asarray(value, plan.dtype), state[0].shape)
        if high:
            for k in axes:
                full = to_averages(full, k)
        result.append(full)
    return result


def flattened(source: sp.Expr, plan: Plan) -> sp.Expr:
    """A source whose integrals are those of what stands everywhere as it does here: for rates of change."""
    lengths = {a.symbol: g.length for a, g in zip(plan.system.axes, plan.grid, strict=True)}

    def constant(integrand: sp.Expr, *symbols: sp.Symbol) -> sp.Expr:
        return integrand * float(np.prod([lengths[s] for s in symbols or tuple(lengths)]))

    return source.replace(Integral, constant)


def _cut(array: Array, width: int) -> Array:
    for k in range(array.ndim):
        array = lax.slice_in_dim(array, width, array.shape[k] - width, axis=k)
    return array
