"""Fractional derivatives of series that are known: all times at once, by the fast Fourier transform."""

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln
from scipy.fft import next_fast_len


def caputo_of_series(values: Array, step: float, order: Array | float) -> Array:
    """The Caputo derivative of order 0 < α < 1 at all but the first of equally spaced times.

    `values` [times, ...] are those at 0, step, 2·step, ...; the result has one time less. The L1 sum, of
    order 2 - α for smooth series, in O(n log n). Differentiable in the values and in the order.
    """
    values = jnp.asarray(values)
    real = values.real.dtype
    alpha, h = jnp.asarray(order, real), jnp.asarray(step, real)
    changes = jnp.diff(values, axis=0)
    count = len(changes)
    places = jnp.arange(1, count, dtype=real)
    # (j+1)^(1-α) - j^(1-α), which would cancel for large j.
    later = places ** (1 - alpha) * jnp.expm1((1 - alpha) * jnp.log1p(1 / places))
    weights = jnp.concatenate([jnp.ones(1, real), later]) * h**-alpha / jnp.exp(gammaln(2 - alpha))
    length = int(next_fast_len(2 * count))
    shape = (count,) + (1,) * (changes.ndim - 1)
    return _convolved(weights.reshape(shape), changes, length)[:count]


def _convolved(weights: Array, changes: Array, length: int) -> Array:
    if jnp.iscomplexobj(changes):
        spectrum = jnp.fft.fft(weights, length, axis=0) * jnp.fft.fft(changes, length, axis=0)
        return jnp.fft.ifft(spectrum, axis=0)
    spectrum = jnp.fft.rfft(weights, length, axis=0) * jnp.fft.rfft(changes, length, axis=0)
    return jnp.fft.irfft(spectrum, length, axis=0)
