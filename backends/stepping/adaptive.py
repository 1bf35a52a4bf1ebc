"""Steps sized by an embedded error estimate."""

from collections.abc import Callable
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import Parameters, Semidiscretisation, State, Vector
from nablax.backends.reverse import Loop, both_modes, checkpointed_loop, constant, kept_where
from nablax.backends.stepping.control import DEADBAND, REFUSALS, Tolerance, factor
from nablax.backends.stepping.method import Aid, Attempt, Method

Carry = TypeVar("Carry")
Memory = TypeVar("Memory")


class Tally(NamedTuple):
    """What an advance took. `stuck`: the control refused its last steps until none was left."""

    steps: Array
    rejected: Array
    last: Array
    stuck: Array

    def after(self, accepted: Array, h: Array, stuck: Array) -> "Tally":
        """With one more step of length h, taken or refused."""
        return Tally(
            self.steps + accepted.astype("int32"),
            self.rejected + (~accepted).astype("int32"),
            jnp.where(accepted, h, self.last),
            stuck,
        )


class _Walk(NamedTuple, Generic[Carry, Memory]):
    t: Array
    carry: Carry
    memory: Memory
    h: Array  # the step wanted next
    before: Array  # scaled error of the last accepted step
    refused: Array  # in a row
    tally: Tally


def advance(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tolerance: Tolerance,
    bound: float | None,
    state: State,
    until: Array,
    budget: Array,
    params: Parameters,
) -> tuple[State, Tally]:
    """From state.t to `until`, or as far as `budget` accepted steps go.

    The last two steps to `until` are made equal, so that it is met exactly and without a sliver. The
    state returned carries the step the control would take next. To derivatives the sizes of the steps are
    constants.
    """

    @jax.jit  # traced once for the loops of both modes
    def tried(w: _Walk[Carry, Memory], h: Array, params: Parameters) -> Attempt[Carry, Memory]:
        return method.step(w.t, w.carry, w.memory, h, method.aid(h, params), params)

    walked = partial(_walked, scheme, method, tried, tolerance, bound)
    forward = partial(walked, lax.while_loop)
    reverse = partial(walked, checkpointed_loop, apart=True)
    return both_modes(forward, forward, reverse)((state, until, budget, params))


def _walked(
    scheme: Semidiscretisation[Carry],
    method: Method[Carry, Aid, Memory],
    tried: Callable[[_Walk[Carry, Memory], Array, Parameters], Attempt[Carry, Memory]],
    tolerance: Tolerance,
    bound: float | None,
    loop: Loop,
    operands: tuple[State, Array, Array, Parameters],
    apart: bool = False,
) -> tuple[State, Tally]:
    """`apart`: steps are decided on first and then taken, so that refused ones have no derivative."""
    state, until, budget, params = operands
    dtype = state.t.dtype
    cap = jnp.asarray(jnp.inf if bound is None else bound, dtype)
    carry = scheme.embed(state.t, state.y, params)
    memory = method.start(state.t, carry, params)
    first = constant(
        lax.cond(
            state.dt > 0,
            lambda: state.dt,
            lambda: first_step(
                scheme, tolerance, method.order, state.t, *constant((carry, state.y, until, params))
            ),
        )
    )
    zero = jnp.zeros((), "int32")
    tally = Tally(zero, zero, jnp.zeros((), dtype), jnp.zeros((), bool))
    walk = _Walk(state.t, carry, memory, jnp.minimum(first, cap), jnp.ones((), dtype), zero, tally)

    def going(w: _Walk[Carry, Memory]) -> Array:
        return (w.t < until) & (w.tally.steps < budget) & ~w.tally.stuck

    def attempt(w: _Walk[Carry, Memory]) -> _Walk[Carry, Memory]:
        left = until - w.t
        wanted = jnp.minimum(w.h, cap)
        # A hair more than a whole number of steps is no reason for another one.
        pieces = jnp.maximum(jnp.ceil(left / wanted * (1 - 1e-6)), 1.0)
        shared = left / pieces
        h = constant(jnp.where(pieces <= 2, shared, wanted))
        ends = pieces <= 1
        after = jnp.where(ends, until, w.t + h)
        step = tried(constant(w), h, constant(params)) if apart else tried(w, h, params)
        assert step.error is not None
        old, new = scheme.core(w.carry), scheme.core(step.carry)
        error = constant(tolerance.scaled(scheme, *constant((step.error, old, new))))
        accepted = error <= 1.0
        if apart:
            step = tried(kept_where(accepted, w), h, kept_where(accepted, params))
        change = factor(error, w.before, method.error_order)
        held = jnp.where((change >= 1.0) & (change < DEADBAND), 1.0, change)
        grown = jnp.where(w.refused > 0, jnp.minimum(h * held, h), h * held)
        # A step cut short only to meet the end says nothing against the step wanted before it.
        following = jnp.where(accepted & (h < wanted), jnp.maximum(grown, wanted), grown)
        refused = jnp.where(accepted, 0, w.refused + 1)
        stuck = (refused >= REFUSALS) | (~accepted & (w.t + following <= w.t))
        carry, memory = jax.tree.map(
            lambda a, b: jnp.where(accepted, a, b), (step.carry, step.memory), (w.carry, w.memory)
        )
        return _Walk(
            constant(jnp.where(accepted, after, w.t)),
            carry,
            memory,
            constant(following),
            jnp.where(accepted, jnp.maximum(error, 1e-4), w.before),
            refused,
            w.tally.after(accepted, h, stuck),
        )

    end = loop(going, attempt, walk)
    return State(end.t, scheme.core(end.carry), end.h), end.tally


def first_step(
    scheme: Semidiscretisation[Carry],
    tolerance: Tolerance,
    order: int,
    t: Array,
    carry: Carry,
    y: Vector,
    until: Array,
    params: Parameters,
) -> Array:
    """Hairer, Nørsett, Wanner, "Solving ODEs I", section II.4: a step whose Euler increment is small."""
    rate = scheme.rate(t, carry, params)
    size = tolerance.scaled(scheme, y, y)
    speed = tolerance.scaled(scheme, rate, y)
    guess = 0.01 * size / jnp.maximum(speed, float(np.finfo(speed.dtype).tiny))
    whole = until - t
    known = jnp.isfinite(guess) & (guess > 0)
    return jnp.minimum(whole, jnp.where(known, guess, 1e-6 * whole))
