"""Steps of one size."""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import Parameters, Semidiscretisation, Vector
from nablax.backends.stepping.method import Aid, Method
from nablax.backends.stepping.vectors import finite

Carry = TypeVar("Carry")
Memory = TypeVar("Memory")

BETWEEN_CHECKS = 64  # steps: a look at every entry each step would cost a pass over memory


class March(NamedTuple):
    """y after `taken` steps; fewer than asked for when it stopped being finite."""

    y: Vector
    taken: Array
    finite: Array


def march(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    t: Array,
    y: Vector,
    h: Array,
    count: Array,
    aid: Aid,
    params: Parameters,
) -> March:
    """`count` steps of size h from t; stops within `BETWEEN_CHECKS` steps of the first infinite value.

    The count is traced, so that one program serves every chunk. Forward mode only.
    """
    carry = scheme.embed(t, y, params)
    memory = method.start(t, carry, params)

    def one(i: Array, state: tuple[Carry, Memory]) -> tuple[Carry, Memory]:
        attempt = method.step(t + i.astype(h.dtype) * h, *state, h, aid, params)
        return attempt.carry, attempt.memory

    def some(state: tuple[Array, Array, tuple[Carry, Memory]]) -> tuple[Array, Array, tuple[Carry, Memory]]:
        i, _, inner = state
        until = jnp.minimum(i + BETWEEN_CHECKS, count)
        inner = lax.fori_loop(i, until, one, inner)
        return until, finite(scheme.core(inner[0])), inner

    def going(state: tuple[Array, Array, tuple[Carry, Memory]]) -> Array:
        return (state[0] < count) & state[1]

    start = jnp.zeros((), count.dtype), jnp.ones((), bool), (carry, memory)
    taken, ok, (carry, _) = lax.while_loop(going, some, start)
    return March(scheme.core(carry), taken, ok)


def trajectory(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    t: Array,
    y: Vector,
    h: Array,
    count: int,
    params: Parameters,
) -> Vector:
    """y after exactly `count` steps: a scan, for reverse mode. Its memory is one frame's states."""
    aid = method.aid(h, params)
    carry = scheme.embed(t, y, params)
    memory = method.start(t, carry, params)

    def one(state: tuple[Carry, Memory], i: Array) -> tuple[tuple[Carry, Memory], None]:
        attempt = method.step(t + i.astype(h.dtype) * h, *state, h, aid, params)
        return (attempt.carry, attempt.memory), None

    (carry, _), _ = lax.scan(one, (carry, memory), jnp.arange(count, dtype="int32"))
    return scheme.core(carry)


checkpointed = jax.checkpoint(trajectory, static_argnums=(0, 1, 5))
"""`trajectory`, its steps computed again in reverse mode instead of kept."""


def step_count(span: float, dt: float) -> int:
    """How many equal steps of at most dt make up a span; a hair over a whole number is no extra step."""
    return max(int(np.ceil(span / dt * (1 - 1e-9))), 0 if span <= 0 else 1)
