"""Steps of one size."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.branches import apart
from nablax.backends.interface import Parameters, Semidiscretisation, Vector
from nablax.backends.reverse import checkpointed_loop
from nablax.backends.stepping.bundles import Bundle
from nablax.backends.stepping.method import Aid, Method
from nablax.backends.stepping.vectors import finite

Carry = TypeVar("Carry")
Memory = TypeVar("Memory")
Loop = TypeVar("Loop")

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
    bundle: Bundle | None = None,
    paired: bool = False,
) -> March:
    """`count` steps of size h from t; stops within `BETWEEN_CHECKS` steps of the first infinite value.

    The count is traced, so that one program serves every chunk. Forward mode only. `bundle` stands for
    several steps of the same method; single ones do what is left over, `paired` or one by one.
    """
    if bundle is None:
        return _march(scheme, method, t, y, h, jnp.zeros_like(count), count, aid, params, paired)
    steps = bundle.steps
    most = BETWEEN_CHECKS // steps
    whole = count // steps

    def some(state: tuple[Array, Array, Vector]) -> tuple[Array, Array, Vector]:
        i, _, inner = state
        until = jnp.minimum(i + most, whole)

        def one(j: Array, y: Vector) -> Vector:
            return bundle.advance(t + (j * steps).astype(h.dtype) * h, y, h, params)

        inner = lax.fori_loop(i, until, one, inner)
        return until, finite(inner), inner

    def going(state: tuple[Array, Array, Vector]) -> Array:
        return (state[0] < whole) & state[1]

    start = jnp.zeros((), count.dtype), jnp.ones((), bool), y
    done, ok, y = lax.while_loop(going, some, start)
    taken = done * steps
    rest = _march(scheme, method, t, y, h, taken, jnp.where(ok, count, taken), aid, params, False)
    return March(rest.y, rest.taken, ok & rest.finite)


def _march(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    t: Array,
    y: Vector,
    h: Array,
    first: Array,
    count: Array,
    aid: Aid,
    params: Parameters,
    paired: bool,
) -> March:
    """Steps first, first + 1, ... of `count`, one by one; t is the time of step 0."""
    begin = t + first.astype(h.dtype) * h
    carry = scheme.embed(begin, y, params)
    memory = method.start(begin, carry, params)

    def one(i: Array, state: tuple[Carry, Memory]) -> tuple[Carry, Memory]:
        attempt = method.step(t + i.astype(h.dtype) * h, *state, h, aid, params)
        return attempt.carry, attempt.memory

    def some(state: tuple[Array, Array, tuple[Carry, Memory]]) -> tuple[Array, Array, tuple[Carry, Memory]]:
        i, _, inner = state
        until = jnp.minimum(i + BETWEEN_CHECKS, count)
        inner = _in_pairs(one, i, until, inner) if paired else lax.fori_loop(i, until, one, inner)
        return until, finite(scheme.core(inner[0])), inner

    def going(state: tuple[Array, Array, tuple[Carry, Memory]]) -> Array:
        return (state[0] < count) & state[1]

    start = first, jnp.ones((), bool), (carry, memory)
    taken, ok, (carry, _) = lax.while_loop(going, some, start)
    return March(scheme.core(carry), taken, ok)


def _in_pairs(step: Callable[[Array, Loop], Loop], first: Array, until: Array, state: Loop) -> Loop:
    """A loop over two steps at a time, each apart from the other.

    A stencil cannot write where it reads, so XLA on a CPU copies the state back after every step of a loop
    over single ones; after two it is where it began (measured: half the time for heat between walls).
    """

    def two(j: Array, state: Loop) -> Loop:
        i = first + 2 * j
        state = apart(i < until, step, i, state)
        return apart(i + 1 < until, step, i + 1, state)

    count = until - first
    state = lax.fori_loop(0, count // 2, two, state)
    last: Loop = lax.cond(count % 2 == 1, step, lambda _, state: state, until - 1, state)
    return last


def trajectory(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    t: Array,
    y: Vector,
    h: Array,
    count: int,
    params: Parameters,
    bundle: Bundle | None = None,
    paired: bool = False,
) -> Vector:
    """y after exactly `count` steps: a scan, for reverse mode. Its memory is one frame's states."""
    if bundle is not None and count >= bundle.steps:
        steps = bundle.steps

        def bundled(y: Vector, i: Array) -> tuple[Vector, None]:
            return bundle.advance(t + i.astype(h.dtype) * h, y, h, params), None

        starts = jnp.arange(0, count - count % steps, steps, dtype="int32")
        y, _ = lax.scan(bundled, y, starts)
        if count % steps == 0:
            return y
        t, count = t + (count - count % steps) * h, count % steps
    aid = method.aid(h, params)
    carry = scheme.embed(t, y, params)
    state = carry, method.start(t, carry, params)

    def one(i: Array, state: tuple[Carry, Memory]) -> tuple[Carry, Memory]:
        attempt = method.step(t + i.astype(h.dtype) * h, *state, h, aid, params)
        return attempt.carry, attempt.memory

    def several(state: tuple[Carry, Memory], first: Array) -> tuple[tuple[Carry, Memory], None]:
        for k in range(together):
            i = first + k
            state = apart(i < count, one, i, state) if paired else one(i, state)
        return state, None

    together = 2 if paired else 1
    state, _ = lax.scan(several, state, jnp.arange(0, count - count % together, together, dtype="int32"))
    if count % together:
        state = one(jnp.asarray(count - 1, "int32"), state)
    return scheme.core(state[0])


checkpointed = jax.checkpoint(trajectory, static_argnums=(0, 1, 5, 7, 8))
"""`trajectory`, its steps computed again in reverse mode instead of kept."""


def replayed(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    t: Array,
    y: Vector,
    h: Array,
    count: Array,
    params: Parameters,
) -> Vector:
    """y after a traced `count` of steps, with checkpoints, for reverse mode."""
    aid = method.aid(h, params)
    carry = scheme.embed(t, y, params)

    def one(state: tuple[Array, Carry, Memory]) -> tuple[Array, Carry, Memory]:
        i, before, memory = state
        attempt = method.step(t + i.astype(h.dtype) * h, before, memory, h, aid, params)
        return i + 1, attempt.carry, attempt.memory

    start = jnp.zeros_like(count), carry, method.start(t, carry, params)
    _, carry, _ = checkpointed_loop(lambda state: state[0] < count, one, start)
    return scheme.core(carry)


def step_count(span: float, dt: float) -> int:
    """How many equal steps of at most dt make up a span; a hair over a whole number is no extra step."""
    return max(int(np.ceil(span / dt * (1 - 1e-9))), 0 if span <= 0 else 1)
