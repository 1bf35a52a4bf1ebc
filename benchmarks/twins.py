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


def bundled(start: Fields, numbers: Numbers, step: Callable[[State, Numbers], State], steps: int) -> Program:
    """A periodic box with `steps` ghosts, of which every step uses up one.

    Each step is a branch: XLA would merge it into the next, and compute it once for every neighbour.
    """

    @jax.jit
    def whole(y: State, numbers: Numbers, count: Array) -> State:
        def several(_: Array, y: State) -> State:
            y = tuple(wrapped(u, steps) for u in y)
            for left in reversed(range(steps)):
                empty = tuple(jnp.zeros([n - 2 for n in u.shape]) for u in y)
                y = lax.cond(count > left, step, lambda *_, empty=empty: empty, y, numbers)
            return y

        end: State = lax.fori_loop(0, count // steps, several, y)
        return end

    first = tuple(jnp.asarray(a) for a in start)

    def program(count: int) -> Fields:
        assert count % steps == 0
        return tuple(np.asarray(a) for a in whole(first, numbers, np.int32(count)))

    return program


def wrapped(u: Array, width: int = 1) -> Array:
    """A periodic box with ghosts on each side."""
    for k in range(u.ndim):
        n = u.shape[k]
        before, after = lax.slice_in_dim(u, n - width, n, axis=k), lax.slice_in_dim(u, 0, width, axis=k)
        u = jnp.concatenate([before, u, after], k)
    return u


def inner(u: Array) -> Array:
    return u[(slice(1, -1),) * u.ndim]


def laplacian(u: Array, h: float) -> Array:
    """Of second order at the inner points."""
    total = -2 * u.ndim * inner(u)
    for k in range(u.ndim):
        for part in (slice(2, None), slice(None, -2)):
            total = total + u[tuple(part if j == k else slice(1, -1) for j in range(u.ndim))]
    return total / h**2
