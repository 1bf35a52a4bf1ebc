"""Equal steps whose size step doubling chooses: for methods without an embedded error.

Where a stretch of steps starts and where it ends, one step of 2h is compared with two of h; a stretch
whose error is too large at either place is done again with a smaller h.
"""

from typing import NamedTuple, TypeVar

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Parameters, Semidiscretisation, State, Vector
from nablax.backends.reverse import both_modes, constant
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.control import Tolerance
from nablax.backends.stepping.fixed import march, replayed
from nablax.backends.stepping.method import Aid, Method

Carry = TypeVar("Carry")
Memory = TypeVar("Memory")

SAFETY = 0.9
GROW = 1.5  # the step is held until it may grow by this: new coefficients cost
TRIES = 30  # in a row
MOST_STEPS = 1e7  # in a stretch: the step has gone to nothing


def assess(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    t: Array,
    y: Vector,
    h: Array,
    span: Array,
    params: Parameters,
) -> Array:
    """Richardson's estimate of the local error at (t, y), as it would add up over `span`, scaled."""

    def steps(each: tuple[Array, Array]) -> Vector:
        size, count = each
        return march(scheme, method, t, y, size, count, method.aid(size, params), params).y

    both = lax.map(steps, (jnp.stack([h, 2 * h]), jnp.asarray([2, 1], "int32")))
    fine, coarse = tuple(a[0] for a in both), tuple(a[1] for a in both)
    return judged(scheme, method.order, tolerance, y, fine, coarse, h, span)


def judged(
    scheme: Semidiscretisation[Carry],
    order: int,
    tolerance: Tolerance,
    y: Vector,
    fine: Vector,
    coarse: Vector,
    h: Array,
    span: Array,
) -> Array:
    """The same from y and what two steps of h (`fine`) and one of 2h (`coarse`) made of it."""
    weight = 1 / (2 * (2**order - 1))
    local = tuple((a - b) * weight for a, b in zip(fine, coarse, strict=True))
    return tolerance.scaled(scheme, local, y) * jnp.maximum(span / h, 1.0)


def following(error: Array, h: Array, order: int) -> Array:
    """The step that would make the scaled error of a span just right: at most half of h if it is not."""
    change = jnp.clip(SAFETY * jnp.maximum(error, 1e-12) ** (-1 / order), 0.1, 10.0)
    return h * jnp.where(error > 1.0, jnp.minimum(change, 0.5), change)


def choose(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    bound: float | None,
    state: State,
    span: Array,
    params: Parameters,
) -> Array:
    """A step from state.t whose error meets the tolerance over `span`; not a number if none was found.

    A constant to derivatives.
    """
    state, params = constant((state, params))
    cap = span if bound is None else jnp.minimum(span, bound)

    def going(found: tuple[Array, Array, Array]) -> Array:
        _, error, tries = found
        return (error > 1.0) & (tries < TRIES)

    def again(found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        h, _, tries = found
        error = assess(scheme, method, tolerance, state.t, state.y, h, span, params)
        return jnp.where(error > 1.0, following(error, h, method.order), h), error, tries + 1

    start = jnp.where(state.dt > 0, jnp.minimum(state.dt, cap), cap)
    unknown = jnp.full_like(start, jnp.inf)
    h, error, _ = lax.while_loop(going, again, (start, unknown, jnp.zeros((), "int32")))
    return jnp.where(error > 1.0, jnp.full_like(h, jnp.nan), h)


def divided(left: Array, h: Array) -> tuple[Array, Array]:
    """(count, size) of the equal steps nearest to h from below that make up `left`."""
    pieces = jnp.maximum(jnp.ceil(left / h * (1 - 1e-9)), 1.0)
    return pieces.astype("int32"), left / pieces


class _Stretch(NamedTuple):
    """What a search came to: `steps` steps of h from y at t end in `found`."""

    found: Vector
    t: Array
    y: Vector
    h: Array
    steps: Array
    params: Parameters


def advance(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    bound: float | None,
    state: State,
    until: Array,
    params: Parameters,
) -> tuple[State, Tally]:
    """From state.t to `until` in one stretch, done again until both checks are met.

    To derivatives the steps are constants: what passes is the stretch that met the checks.
    """
    begin, given = state.y, params
    state, until, params = constant((state, until, params))
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
        good = before <= 1.0
        moved = march(
            scheme, method, state.t, state.y, h, jnp.where(good, count, 0), method.aid(h, params), params
        )
        after = assess(scheme, method, tolerance, until, moved.y, h, span, params)
        after = jnp.where(moved.finite, after, jnp.inf)
        done = good & (after <= 1.0)
        wanted = following(jnp.where(good, after, before), h, method.order)
        held = jnp.where(done & (wanted <= GROW * h), found.h, jnp.minimum(wanted, cap))
        rejected = found.tally.rejected + (~done).astype("int32")
        stuck = ~done & ((rejected > TRIES) | (held * MOST_STEPS < span))
        tally = Tally(jnp.where(done, moved.taken, 0), rejected, h, stuck)
        return Try(moved.y, held, done, tally)

    start = jnp.where(state.dt > 0, jnp.minimum(state.dt, cap), cap)
    none = Tally(zero, zero, jnp.zeros_like(start), jnp.zeros((), bool))
    end = lax.while_loop(going, again, Try(state.y, start, span <= 0, none))
    count = jnp.where(end.done, end.tally.steps, 0)

    def found(s: _Stretch) -> Vector:
        return s.found

    def marched(s: _Stretch) -> Vector:
        return march(scheme, method, s.t, s.y, s.h, s.steps, method.aid(s.h, s.params), s.params).y

    def with_checkpoints(s: _Stretch) -> Vector:
        return replayed(scheme, method, s.t, s.y, s.h, s.steps, s.params)

    stretch = _Stretch(end.y, state.t, begin, end.tally.last, count, given)
    y = both_modes(found, marched, with_checkpoints)(stretch)
    return State(jnp.where(end.done, until, state.t), y, end.h), end.tally
