"""Several unknowns in one array, their rows in turn.

XLA on a CPU makes one array in a pass over memory: with an array per unknown, each reads again what all of
them read. Rows of the unknowns in turn, [..., unknowns, n], are made in one pass, in which each row takes
the expression of its own unknown (docs/benchmarks.md has the figures).
"""

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Vector

MOST = 2
"""Unknowns. Time over that with an array each, 512²: two 0.79, three 0.94 (float32: 1.13), four 1.05."""


def weavable(arrays: Vector) -> bool:
    """Whether the arrays have rows, and are alike and few."""
    first = arrays[0]
    alike = all(a.shape == first.shape and a.dtype == first.dtype for a in arrays)
    return 1 < len(arrays) <= MOST and first.ndim > 1 and alike


def woven(arrays: Vector) -> Array:
    """[..., unknowns, n] from arrays [..., n]."""
    first = arrays[0]
    rows = lax.broadcasted_iota(jnp.int32, (*(1,) * (first.ndim - 1), len(arrays), 1), first.ndim - 1)
    *others, result = (array[..., None, :] for array in arrays)
    for k in reversed(range(len(others))):
        result = jnp.where(rows == k, others[k], result)
    return result


def unwoven(array: Array) -> Vector:
    """The arrays that `woven` was made of."""
    return tuple(array[..., k, :] for k in range(array.shape[-2]))
