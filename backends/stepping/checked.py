"""Equal steps whose size step doubling chooses: for methods without an embedded error.

Where a stretch of steps starts and where it ends, one step of 2h is compared with two of h; a stretch
whose error is too large at either place is done again with a smaller h.
"""

from typing import NamedTuple, TypeVar

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Parameters, Semidiscretisation, State, Vector
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.control import Tolerance
from nablax.backends.stepping.fixed import march
from nablax.backends.stepping.method import Aid, Method

Carry = TypeVar("Carry")
Memory = TypeVar("Memory")

SAFETY = 0.9
GROW = 1.5  # the step is held until it may grow by this: new coefficients cost
TRIES = 30  # each at most a tenth of the one before


class Assessment(NamedTuple):
    """The scaled error that steps of the size looked at make over the span, and the size to use."""

    error: Array
    wanted: Array


def assess(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    t: Array,
    y: Vector,
    h: Array,
    span: Array,
    params: Parameters,
) -> Assessment:
    """Richardson's estimate of the local error at (t, y), as it would add up over `span`."""

    def steps(each: tuple[Array, Array]) -> Vector:
        size, count = each
        return march(scheme, method, t, y, size, count, method.aid(size, params), params).y

    both = lax.map(steps, (jnp.stack([h, 2 * h]), jnp.asarray([2, 1], "int32")))
    weight = 1 / (2 * (2**method.order - 1))
    local = tuple((a[0] - a[1]) * weight for a in both)
    error = tolerance.scaled(scheme, local, y) * jnp.maximum(span / h, 1.0)
    change = SAFETY * jnp.maximum(error, 1e-12) ** (-1 / method.order)
    wanted = h * jnp.clip(change, 0.1, 10.0)
    return Assessment(error, jnp.where(error > 1.0, jnp.minimum(wanted, h / 2), wanted))


def choose(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    bound: float | None,
    state: State,
    span: Array,
    params: Parameters,
) -> Array:
    """A step from state.t whose error meets the tolerance over `span`; not a number if none was found."""
    cap = span if bound is None else jnp.minimum(span, bound)

    def going(found: tuple[Array, Array, Array]) -> Array:
        _, error, tries = found
        return (error > 1.0) & (tries < TRIES)

    def again(found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        h, _, tries = found
        seen = assess(scheme, method, tolerance, state.t, state.y, h, span, params)
        return jnp.where(seen.error > 1.0, seen.wanted, h), seen.error, tries + 1

    start = jnp.where(state.dt > 0, jnp.minimum(state.dt, cap), cap)
    unknown = jnp.full_like(start, jnp.inf)
    h, error, _ = lax.while_loop(going, again, (start, unknown, jnp.zeros((), "int32")))
    return jnp.where(error > 1.0, jnp.full_like(h, jnp.nan), h)


def divided(left: Array, h: Array) -> tuple[Array, Array]:
    """(count, size) of the equal steps nearest to h from below that make up `left`."""
    pieces = jnp.maximum(jnp.ceil(left / h * (1 - 1e-9)), 1.0)
    return pieces.astype("int32"), left / pieces


def advance(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    bound: float | None,
    state: State,
    until: Array,
    params: Parameters,
) -> tuple[State, Tally]:
    """From state.t to `until` in one stretch, done again until both checks are met. Forward mode only."""
    span = until - state.t
    cap = span if bound is None else jnp.minimum(span, bound)
    zero = jnp.zeros((), "int32")

    class Try(NamedTuple):
        y: Vector
        h: Array
        done: Array
        tally: Tally

    def going(found: Try) -> Array:
        return ~found.done & ~found.tally.stuck

    def again(found: Try) -> Try:
        count, h = divided(span, found.h)
        before = assess(scheme, method, tolerance, state.t, state.y, h, span, params)
        good = before.error <= 1.0
        moved = march(
            scheme, method, state.t, state.y, h, jnp.where(good, count, 0), method.aid(h, params), params
        )
        after = assess(scheme, method, tolerance, until, moved.y, h, span, params)
        done = good & moved.finite & (after.error <= 1.0)
        smaller = jnp.minimum(jnp.where(good, jnp.minimum(after.wanted, h / 2), before.wanted), cap)
        held = jnp.where(after.wanted > GROW * h, jnp.minimum(after.wanted, cap), found.h)
        following = jnp.where(done, held, smaller)
        rejected = found.tally.rejected + ~done
        stuck = ~done & ((rejected > TRIES) | (state.t + following <= state.t))
        tally = Tally(jnp.where(done, moved.taken, 0), rejected, h, stuck)
        return Try(moved.y, following, done, tally)

    start = jnp.where(state.dt > 0, jnp.minimum(state.dt, cap), cap)
    none = Tally(zero, zero, jnp.zeros_like(start), jnp.zeros((), bool))
    end = lax.while_loop(going, again, Try(state.y, start, span <= 0, none))
    return State(jnp.where(end.done, until, state.t), end.y, end.h), end.tally
