"""Integral terms from nodal values: quadrature, running integrals, convolutions by the FFT.

The same for every scheme: it brings nodal arrays of the unknowns and their derivatives, and gets the value of
every integral, of size 1 along the axes that are integrated over.
"""

from collections.abc import Callable, Mapping, Sequence

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, alike, evaluate
from nablax.backends.quadrature import running_weights, weights
from nablax.integrals import Convolution, Running, integrals_in, split_kernel
from nablax.passes.jets import jets
from nablax.plan import Plan
from nablax.reductions import Integral

Values = Mapping[sp.Basic, Operand]


def collected(expressions: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
    """The integral terms of expressions, each after those inside it."""
    return tuple(dict.fromkeys(node for e in expressions for node in integrals_in(e)))


def integral_values(
    nodes: Sequence[sp.Expr],
    plan: Plan,
    known: Values,
    value_of: Callable[[sp.Expr], Array],
) -> dict[sp.Basic, Operand]:
    """The values of integral terms in the order given.

    `known` holds parameters, time and the coordinates over all nodes; `value_of` gives the nodal array of an
    unknown or a derivative of one. A number comes back as a scalar, a field as an array of the grid's shape
    with size 1 along the axes integrated over.
    """
    order = plan.order or 2  # periodic axes only, where every order means the same sum
    found: dict[sp.Basic, Operand] = {}
    for node in nodes:
        if isinstance(node, Integral):
            found[node] = _complete(node, plan, {**known, **found}, value_of, order)
        elif isinstance(node, Running):
            found[node] = _running(node, plan, {**known, **found}, value_of, order)
        else:
            assert isinstance(node, Convolution)
            found[node] = _convolved(node, plan, {**known, **found}, value_of)
    return found


def _pointwise(expression: sp.Expr, plan: Plan, known: Values, value_of: Callable[[sp.Expr], Array]) -> Array:
    """An integrand on all nodes."""
    here = dict(known)
    for jet in jets(expression):
        if jet not in here:
            assert isinstance(jet, sp.Expr)
            here[jet] = value_of(jet)
    value = jnp.asarray(evaluate([expression], here)[0])
    if value.dtype.kind not in "fc":
        value = value.astype(plan.dtype)
    return jnp.broadcast_to(value, plan.shape)


def _complete(
    node: sp.Expr, plan: Plan, known: Values, value_of: Callable[[sp.Expr], Array], order: int
) -> Array:
    integrand, *axes = node.args
    value = _pointwise(integrand, plan, known, value_of)
    space = [a.symbol for a in plan.system.axes]
    along = [space.index(s) for s in axes] or list(range(len(space)))
    for k in along:
        value = _contracted(value, weights(plan.grid[k], order), k)
    return value.reshape(()) if len(along) == len(space) else value


def _contracted(value: Array, weight: np.ndarray, axis: int) -> Array:
    """Σ weight · value along an axis, which keeps size 1."""
    if np.ptp(weight) == 0.0:
        return jnp.sum(value, axis=axis, keepdims=True) * float(weight[0])
    shape = [1] * value.ndim
    shape[axis] = -1
    real = value.real.dtype
    scaled = value * jnp.asarray(weight.reshape(shape), real).astype(value.dtype)
    return jnp.sum(scaled, axis=axis, keepdims=True)


def _running(
    node: sp.Expr, plan: Plan, known: Values, value_of: Callable[[sp.Expr], Array], order: int
) -> Array:
    """Σ_j R_ij K(x_i, y_j) g_j, term by term: K holds what depends on x, g everything at y."""
    integrand, inner, axis, lower, upper = node.args
    space = [a.symbol for a in plan.system.axes]
    k = space.index(axis)
    grid = plan.grid[k]
    matrix = running_weights(grid, order, lower == axis, upper == axis)
    start, end = plan.system.axes[k].lower, plan.system.axes[k].upper
    if not (lower == axis or upper == axis) and sp.expand(lower - end) == 0 and sp.expand(upper - start) == 0:
        matrix = -matrix
    total: Array | None = None
    for kernel, density in split_kernel(integrand, axis, inner):
        moved = density.xreplace({inner: axis})
        g = jnp.moveaxis(_pointwise(moved, plan, known, value_of), k, -1)
        real = g.real.dtype
        m = jnp.asarray(matrix, real)
        if kernel != 1:
            place = jnp.asarray(known[axis]).reshape(-1)
            factor = evaluate([kernel], {**known, axis: place[:, None], inner: place[None, :]})[0]
            a, b = alike(m, factor)
            m = jnp.asarray(a * b)
        a, b = alike(g, m)
        part = jnp.einsum("...j,ij->...i", a, b, precision="highest")
        part = jnp.moveaxis(part, -1, k)
        total = part if total is None else total + part
    assert total is not None
    return total


def _convolved(node: sp.Expr, plan: Plan, known: Values, value_of: Callable[[sp.Expr], Array]) -> Array:
    kernel, field, *axes = node.args
    space = [a.symbol for a in plan.system.axes]
    offsets: dict[sp.Basic, Operand] = dict(known)
    volume = 1.0
    for symbol in axes:
        k = space.index(symbol)
        grid = plan.grid[k]
        volume *= grid.spacing
        shape = [1] * len(space)
        shape[k] = -1
        index = jnp.arange(grid.n).reshape(shape)
        wrapped = jnp.where(index * 2 < grid.n, index, index - grid.n)
        offsets[symbol] = wrapped.astype(plan.dtype) * grid.spacing
    weight = jnp.broadcast_to(
        jnp.asarray(
            evaluate([kernel], offsets)[0],
        ),
        plan.shape,
    )
    value = _pointwise(field, plan, known, value_of)
    along = [space.index(s) for s in axes]
    product = jnp.fft.fftn(weight, axes=along) * jnp.fft.fftn(value, axes=along) * volume
    result = jnp.fft.ifftn(product, axes=along)
    real = not (jnp.iscomplexobj(weight) or jnp.iscomplexobj(value))
    return result.real if real else result
