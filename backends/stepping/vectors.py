"""Arithmetic on tuples of arrays."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from nablax.backends.interface import Vector


def combination(y: Vector, h: Array, weights: Sequence[float], rates: Sequence[Vector]) -> Vector:
    """y + h Σ weights · rates; zero weights cost nothing."""
    used = [(w, r) for w, r in zip(weights, rates, strict=True) if w != 0.0]
    if not used:
        return y
    return tuple(a + scaled(h, _sum([w * r[i] for w, r in used])) for i, a in enumerate(y))


def difference(h: Array, weights: Sequence[float], rates: Sequence[Vector]) -> Vector:
    """h Σ weights · rates."""
    used = [(w, r) for w, r in zip(weights, rates, strict=True) if w != 0.0]
    return tuple(scaled(h, _sum([w * r[i] for w, r in used])) for i in range(len(rates[0])))


def scaled(h: Array, a: Array) -> Array:
    """h · a for a real scalar h and a real or complex array."""
    return h.astype(a.dtype) * a


def finite(y: Vector) -> Array:
    """Whether every entry of every array is finite: a sum is finite only if its terms are."""
    total = [jnp.isfinite(jnp.sum(a)) for a in y]
    result = total[0]
    for t in total[1:]:
        result = result & t
    return result


def _sum(terms: Sequence[Array]) -> Array:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
