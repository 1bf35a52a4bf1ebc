"""Dense matrices along one axis of an array, in full precision."""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray


def complex_dtype(real: jnp.dtype) -> jnp.dtype:
    """complex128 for float64, complex64 for float32."""
    return jnp.dtype(np.result_type(real, np.complex64))


def along(matrix: NDArray[np.inexact] | Array, array: Array, axis: int, dtype: jnp.dtype) -> Array:
    """matrix · array along one axis. A real matrix meets the parts of a complex array one by one."""
    if np.iscomplexobj(matrix):
        kind = complex_dtype(dtype)
        return contract(jnp.asarray(matrix, kind), array.astype(kind), axis)
    values = jnp.asarray(matrix, dtype)
    if jnp.iscomplexobj(array):
        return lax.complex(contract(values, jnp.real(array), axis), contract(values, jnp.imag(array), axis))
    return contract(values, array, axis)


def contract(matrix: Array, array: Array, axis: int) -> Array:
    """matrix · array along one axis, both of one dtype."""
    # matrix @ array wherever possible: with a single row, array @ matrix.T is far slower on XLA CPU.
    highest = lax.Precision.HIGHEST
    if axis == array.ndim - 1 and array.ndim > 1:
        return (
            jnp.matmul(array, matrix.T, precision=highest)
            if array.ndim == 2
            else jnp.einsum("abj,ij->abi", array, matrix, precision=highest)
        )
    if axis == 0:
        flat = array.reshape(array.shape[0], -1) if array.ndim > 1 else array
        return jnp.matmul(matrix, flat, precision=highest).reshape((matrix.shape[0], *array.shape[1:]))
    return jnp.einsum("ij,ajb->aib", matrix, array, precision=highest)
