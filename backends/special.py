"""Special functions that JAX lacks or has for small arguments only."""

from typing import cast

import jax.numpy as jnp
import jax.scipy.special as jsp
from jax import Array, lax

from nablax.fractional_calculus import contour

NODES = 1024  # Bessel's integral is exact to rounding while |z| + |order| stays below this


def besselj(order: float, z: Array | float) -> Array:
    """J_n(z) for a whole number n, elementwise; accurate for |z| + |n| < 1000, not a number beyond.

    The trapezoidal rule on Bessel's integral (1/π) ∫₀^π cos(nτ - z sin τ) dτ (DLMF 10.9.2), whose
    integrand is periodic, converges geometrically once the nodes resolve it.
    """
    n = int(order)
    z = jnp.asarray(z)
    angle = jnp.pi / NODES

    def add(k: Array, total: Array) -> Array:
        tau = (k + 0.5) * angle
        return total + jnp.cos(n * tau - z * jnp.sin(tau))

    total = lax.fori_loop(0, NODES, add, jnp.zeros_like(z)) / NODES
    return jnp.where(jnp.abs(z) + abs(n) < 0.98 * NODES, total, jnp.nan)


def polygamma(order: float, z: Array | float) -> Array:
    """The derivative of order n + 1 of log Γ."""
    return jsp.digamma(z) if order == 0 else jsp.polygamma(jnp.asarray(order, jnp.asarray(z).dtype), z)


def mittag_leffler(
    alpha: Array | float, beta: Array | float, z: Array | float, gamma: Array | float = 1.0
) -> Array:
    """E^γ_{α,β}(z), elementwise, for 0 < α ≤ 2 and real z, or complex z and γ = 1 (see `contour`)."""
    z = jnp.asarray(z)
    if jnp.iscomplexobj(z):
        if gamma != 1.0:
            raise ValueError("a Mittag-Leffler function of three parameters takes real arguments")
        orders = (jnp.asarray(a, z.real.dtype) for a in (alpha, beta))
        found = contour.mittag_leffler_complex(jnp, *cast(tuple[contour.Array, ...], (*orders, z)))
        return cast(Array, found)
    arrays = (jnp.asarray(a, z.dtype) for a in (alpha, beta, z, gamma))
    return cast(Array, contour.mittag_leffler(jnp, *cast(tuple[contour.Array, ...], tuple(arrays))))
