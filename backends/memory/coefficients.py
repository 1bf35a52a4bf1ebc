"""The weights of convolution quadratures."""

import jax.numpy as jnp
from jax import Array, lax


def convolution_weights(order: Array, count: int) -> Array:
    """The first `count` coefficients of (3/2 - 2ζ + ζ²/2)^order; differentiable in the order."""

    def following(last: tuple[Array, Array], j: Array) -> tuple[tuple[Array, Array], Array]:
        one, two = last
        new = (-2 * (order + 1 - j) * one + (2 * (order + 1) - j) * two / 2) / (1.5 * j)
        return (new, one), new

    first = jnp.asarray(1.5, order.dtype) ** order
    places = jnp.arange(1, count, dtype=order.dtype)
    _, rest = lax.scan(following, (first, jnp.zeros_like(first)), places)
    return jnp.concatenate([first[None], rest])
