"""Linear operators on grid functions as matrices: for equations that no basis of modes comes near."""

from itertools import accumulate

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Vector
from nablax.backends.krylov import Operator

COLUMNS = 128  # computed at once


def inverse(operator: Operator, like: Vector) -> Operator:
    """The inverse of an operator on vectors of the shapes and dtypes of `like`, by LU decomposition.

    `operator` has to be linear over the reals only. Memory grows like the square of the number of values.
    """
    template = _flat(like)
    size = template.size

    def column(i: Array) -> Array:
        unit = (jnp.arange(size, dtype=jnp.int32) == i).astype(template.dtype)
        return _flat(operator(_shaped(unit, like)))

    columns = lax.map(column, jnp.arange(size, dtype=jnp.int32), batch_size=min(COLUMNS, size))
    factors = jax.scipy.linalg.lu_factor(columns.T)

    def invert(vector: Vector) -> Vector:
        return _shaped(jax.scipy.linalg.lu_solve(factors, _flat(vector)), like)

    return invert


def _flat(vector: Vector) -> Array:
    """All values in a row, real parts before imaginary ones."""
    parts = [p for a in vector for p in ((a.real, a.imag) if jnp.iscomplexobj(a) else (a,))]
    return jnp.concatenate([p.ravel() for p in parts])


def _shaped(values: Array, like: Vector) -> Vector:
    """The vector whose values stand in a row."""
    sizes = [a.size * (2 if jnp.iscomplexobj(a) else 1) for a in like]
    result = []
    for a, size, end in zip(like, sizes, accumulate(sizes), strict=True):
        own = values[end - size : end]
        if jnp.iscomplexobj(a):
            own = lax.complex(own[: a.size], own[a.size :])
        result.append(own.reshape(a.shape))
    return tuple(result)
