"""Integral terms of a field at points, by fixed rules."""

from collections.abc import Callable, Mapping
from functools import reduce

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.layout import layout
from nablax.backends.residuals.members import lifted
from nablax.derivatives.integral_terms import SHARE, IntegralTerm
from nablax.problem import Problem

Integrand = Callable[[Array, Mapping[sp.Basic, Operand]], Array]
"""(points [n, axes], values [n] of further atoms) to values [n]."""


def integral(
    term: IntegralTerm,
    problem: Problem,
    environment: Mapping[sp.Basic, Operand],
    z: Array,
    integrand: Integrand,
) -> Array:
    """Values [points] of an integral at points z [points, axes]; one number [1] where it is the same at all.

    `environment` has the coordinates and parameters there.
    """
    slots = {s.axis.symbol: s for s in layout(problem)}
    if term.constant:
        z, environment = z[:1], {k: _first(v) for k, v in environment.items()}
    shares = np.meshgrid(*(np.asarray(line.shares) for line in term.lines), indexing="ij")
    weights = reduce(np.multiply.outer, (np.asarray(line.weights) for line in term.lines)).ravel()
    shape = (z.shape[0], weights.size)
    moved = jnp.broadcast_to(z[:, None], (*shape, z.shape[1]))
    known = lifted(environment)
    extra: dict[sp.Basic, Operand] = {
        name: jnp.broadcast_to(known[symbol], shape).ravel() for name, symbol in term.here
    }
    size: Operand = 1.0
    for line, share in zip(term.lines, shares, strict=True):
        at = {**known, SHARE: jnp.asarray(share.reshape(1, -1), z.dtype)}
        coordinate, offset, length = (
            jnp.broadcast_to(jnp.asarray(v, z.dtype), shape)
            for v in evaluate((line.coordinate, line.offset, line.length), at)
        )
        slot = slots[line.axis]
        if line.periodic:
            coordinate = slot.low + jnp.mod(coordinate - slot.low, slot.high - slot.low)
        moved = moved.at[..., slot.start].set(coordinate)
        size = size * length[:, 0]
        if line.name is not None:
            extra[line.name] = offset.ravel()
    values = integrand(moved.reshape(-1, z.shape[1]), extra).reshape(shape)
    return size * jnp.sum(values * jnp.asarray(weights, z.dtype)[None], axis=1)


def _first(value: Operand) -> Operand:
    return value[:1] if isinstance(value, Array) and value.ndim else value
