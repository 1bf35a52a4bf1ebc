"""Computations that XLA on a CPU must not merge with those around them.

It merges what is cheap into every use: a stage of a Runge–Kutta method into each point of the next stage's
stencil, or into each of the pieces that ghost values are made of (measured: 4 times the time of RK4 with
Neumann walls on 512² points). A branch is what it does not look into; barriers are gone before it merges.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

Result = TypeVar("Result")


def apart(sound: Array, compute: Callable[..., Result], *arguments: object) -> Result:
    """`compute(*arguments)`, on a CPU in a branch of its own, taken where `sound`; nan or zero elsewhere.

    `sound` must not be known when XLA compiles. Elsewhere a branch would wait for the host and a barrier
    is kept: `sound` is not looked at.
    """

    traced_once: Callable[..., Result] = jax.jit(compute)
    shapes = jax.eval_shape(traced_once, *arguments)

    def lost(*_: object) -> Result:
        nothing: Result = jax.tree.map(_lost, shapes)
        return nothing

    def branch(sound: Array, *arguments: object) -> Result:
        found: Result = lax.cond(sound, traced_once, lost, *arguments)
        return found

    def plain(_: Array, *arguments: object) -> Result:
        barrier: Callable[[Result], Result] = lax.optimization_barrier
        return barrier(traced_once(*arguments))

    result: Result = lax.platform_dependent(sound, *arguments, cpu=branch, default=plain)
    return result


def _lost(like: jax.ShapeDtypeStruct) -> Array:
    inexact = jnp.issubdtype(like.dtype, jnp.inexact)
    return jnp.full(like.shape, jnp.nan if inexact else 0, like.dtype)
