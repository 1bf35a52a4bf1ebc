"""How fast a solver's disturbances change, measured: what a bound of the step rests on, without symbols."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Vector

ITERATIONS = 40
AVERAGED = 8


class Pace(NamedTuple):
    """`radius`: the spectral radius of the rate's derivative, in 1/time. `growth`: the rate at which the
    fastest disturbance grows (negative: decays)."""

    radius: float
    growth: float


def pace(rate: Callable[[Vector], Vector], y: Vector) -> tuple[Array, Array]:
    """(radius, growth) of the derivative of `rate` at y, by the power method.

    The radius is the geometric mean of the last ratios of norms, so that complex pairs of eigenvalues have
    one; within a few per cent where the largest eigenvalues lie close together.
    """
    _, slope = jax.linearize(rate, y)
    real = y[0].real.dtype
    start = tuple(
        jnp.sin(1.0 + 1.7 * jnp.arange(a.size, dtype=real)).reshape(a.shape).astype(a.dtype) for a in y
    )

    def again(i: Array, found: tuple[Vector, Array, Array]) -> tuple[Vector, Array, Array]:
        v, ratios, _ = found
        image = slope(v)
        size = _norm(image)
        scale = jnp.where(size > 0, 1 / size, 0.0)
        growth = sum(
            (jnp.sum((a.conj() * b).real) for a, b in zip(v, image, strict=True)), jnp.zeros((), real)
        )
        return tuple(scale.astype(a.dtype) * a for a in image), jnp.roll(ratios, 1).at[0].set(size), growth

    first = _norm(start)
    unit = tuple(a / first.astype(a.dtype) for a in start)
    begin = unit, jnp.zeros(AVERAGED, real), jnp.zeros((), real)
    _, ratios, growth = lax.fori_loop(0, ITERATIONS, again, begin)
    return jnp.exp(jnp.mean(jnp.log(ratios))), growth


def _norm(v: Vector) -> Array:
    return jnp.sqrt(sum((jnp.sum(jnp.abs(a) ** 2) for a in v), jnp.zeros((), v[0].real.dtype)))
