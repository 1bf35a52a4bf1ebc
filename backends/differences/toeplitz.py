"""Toeplitz matrices along one axis: fractional differences as products, dense or by the FFT.

Sources of the weights: the fractional centred difference of M. D. Ortigueira, Int. J. Math. Math. Sci. (2006)
48391; the weighted and shifted Grünwald differences of W. Tian, H. Zhou, W. Deng, Math. Comp. 84 (2015) 1703.
Both are of second order where the field, continued by zero, is smooth enough.
"""

import jax.numpy as jnp
import numpy as np
import scipy.fft
from jax import Array, lax
from jax.scipy.special import gammaln

from nablax.backends.differences.contraction import complex_dtype, contract

DENSE = {"float64": 400, "float32": 640}  # nodes up to which the dense product is faster (docs/benchmarks.md)
DENSE_MANY = {"float64": 512, "float32": 800}  # the same where many lines are multiplied at once


def centred_weights(order: Array, count: int, spacing: float) -> Array:
    """g_k h^(-β), k = 0 .. count-1: -d^β/d|x|^β u(x) ≈ Σ g_|k| u(x - kh), for 0 < β <= 2."""
    k = jnp.arange(1, count, dtype=order.dtype)
    ratios = 1 - (order + 1) / (order / 2 + k)
    first = jnp.exp(gammaln(order + 1) - 2 * gammaln(order / 2 + 1))
    return _scaled(jnp.concatenate([jnp.ones(1, order.dtype), jnp.cumprod(ratios)]) * first, order, spacing)


def shifted_weights(order: Array, ceiling: int, count: int, spacing: float) -> tuple[Array, int]:
    """Weights w_k h^(-α), k = 0 .. count-1, and the shift p: D^α u(x) ≈ Σ w_k u(x - (k - p)h) from the left.

    The pair of shifts is (1, 0) for 1 < α <= 2 and (0, -1) for 0 < α <= 1.
    """
    k = jnp.arange(1, count, dtype=order.dtype)
    plain = jnp.concatenate([jnp.ones(1, order.dtype), jnp.cumprod(1 - (order + 1) / k)])
    before = jnp.concatenate([jnp.zeros(1, order.dtype), plain[:-1]])
    first, second = shift_factors(order, ceiling)
    return _scaled(first * plain + second * before, order, spacing), ceiling - 1


def shift_factors(order: Array, ceiling: int) -> tuple[Array, Array]:
    """The factors of the two shifts, which cancel the error of first order."""
    return (order / 2, 1 - order / 2) if ceiling == 2 else (1 + order / 2, -order / 2)


def _scaled(weights: Array, order: Array, spacing: float) -> Array:
    return weights * jnp.exp(-order * float(np.log(spacing)))


def dense_product(nodes: int, others: int, dtype: jnp.dtype) -> bool:
    """Whether a dense product along an axis of so many nodes, for so many lines, is the faster one."""
    return nodes <= (DENSE if others < 16 else DENSE_MANY)[dtype.name]


def prepared(diagonals: Array, nodes: int, dense: bool) -> Array:
    """What `product` multiplies by: the matrix [nodes, nodes], or the transform of its circulant.

    `diagonals` [2 nodes - 1] are t_d of T_ij = t_(i-j), from d = 1 - nodes on.
    """
    if dense:
        place = np.subtract.outer(np.arange(nodes), np.arange(nodes)) + nodes - 1
        return diagonals[jnp.asarray(place)]
    gap = _length(nodes) - 2 * nodes + 1
    between = jnp.zeros(gap, diagonals.dtype)
    circulant = jnp.concatenate([diagonals[nodes - 1 :], between, diagonals[: nodes - 1]])
    return jnp.fft.rfft(circulant)


def product(kernel: Array, array: Array, axis: int, dense: bool) -> Array:
    """T · array along an axis."""
    if jnp.iscomplexobj(array):
        parts = (product(kernel, part, axis, dense) for part in (jnp.real(array), jnp.imag(array)))
        return lax.complex(*parts)
    if dense:
        return contract(kernel, array, axis)
    nodes = array.shape[axis]
    length = _length(nodes)
    shape = [-1 if j == axis else 1 for j in range(array.ndim)]
    hat = jnp.fft.rfft(array, length, axis=axis) * kernel.reshape(shape).astype(complex_dtype(array.dtype))
    return lax.slice_in_dim(jnp.fft.irfft(hat, length, axis=axis), 0, nodes, axis=axis)


def _length(nodes: int) -> int:
    return int(scipy.fft.next_fast_len(2 * nodes - 1, real=True))
