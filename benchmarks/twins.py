"""What the hand-written programs share."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.case import Fields, Program

State = tuple[Array, ...]
Numbers = dict[str, float]


def looped(
    start: Fields,
    numbers: Numbers,
    step: Callable[[State, Numbers], State],
    enter: Callable[[State], State] = lambda y: y,
    leave: Callable[[State], State] = lambda y: y,
) -> Program:
    """The whole loop in one compiled program; parameters and the number of steps are arguments."""

    @jax.jit
    def whole(y: State, numbers: Numbers, count: Array) -> State:
        return leave(lax.fori_loop(0, count, lambda _, state: step(state, numbers), enter(y)))

    first = tuple(jnp.asarray(a) for a in start)
    return lambda steps: tuple(np.asarray(a) for a in whole(first, numbers, np.int32(steps)))


def wrapped(u: Array) -> Array:
    """A periodic box with one ghost on each side."""
    u = jnp.concatenate([u[-1:], u, u[:1]], 0)
    return jnp.concatenate([u[:, -1:], u, u[:, :1]], 1)


def inner(u: Array) -> Array:
    return u[1:-1, 1:-1]


def laplacian(u: Array, h: float) -> Array:
    """Of second order at the inner points."""
    return (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]) / h**2
