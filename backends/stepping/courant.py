"""Steps as long as the waves of the present state allow."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Courant, Parameters, State, Vector
from nablax.backends.reverse import Loop, both_modes, checkpointed_loop, constant, kept_where
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.control import REFUSALS
from nablax.backends.stepping.method import Aid, Method

Memory = TypeVar("Memory")

OVERSHOT = 1.25  # times the step that the new state allows, above which a step is done again, halved


class _Walk(NamedTuple):
    t: Array
    y: Vector
    allowed: Array  # by the waves of y
    held: Array  # what refusals left of it
    refused: Array  # in a row
    tally: Tally


def advance(
    scheme: Courant,
    method: Method[Vector, Aid, Memory],
    longest: float | None,
    state: State,
    until: Array,
    budget: Array,
    params: Parameters,
) -> tuple[State, Tally]:
    """From state.t to `until`, or as far as `budget` accepted steps go; no step above `longest`.

    A step after which the state makes no sense, or waves run much faster than it was made for, is refused.
    The last two steps to `until` are made equal. To derivatives the sizes of the steps are constants.
    """

    @jax.jit  # traced once for the loops of both modes
    def stepped(w: _Walk, h: Array, params: Parameters) -> Vector:
        carry = scheme.embed(w.t, w.y, params)
        memory = method.start(w.t, carry, params)
        return scheme.core(method.step(w.t, carry, memory, h, method.aid(h, params), params).carry)

    walked = partial(_walked, scheme, stepped, longest)
    forward = partial(walked, lax.while_loop)
    reverse = partial(walked, checkpointed_loop, apart=True)
    return both_modes(forward, forward, reverse)((state, until, budget, params))


def _walked(
    scheme: Courant,
    stepped: Callable[[_Walk, Array, Parameters], Vector],
    longest: float | None,
    loop: Loop,
    operands: tuple[State, Array, Array, Parameters],
    apart: bool = False,
) -> tuple[State, Tally]:
    """`apart`: steps are decided on first and then taken, so that refused ones have no derivative."""
    state, until, budget, params = operands
    dtype = state.t.dtype
    cap = jnp.asarray(jnp.inf if longest is None else longest, dtype)
    zero = jnp.zeros((), "int32")
    tally = Tally(zero, zero, jnp.zeros((), dtype), jnp.zeros((), bool))
    first = scheme.stable_step(state.t, *constant((state.y, params)))
    infinite = jnp.full_like(first, jnp.inf)
    walk = _Walk(state.t, state.y, first, infinite, zero, tally)

    def going(w: _Walk) -> Array:
        return (w.t < until) & (w.tally.steps < budget) & ~w.tally.stuck

    def attempt(w: _Walk) -> _Walk:
        left = until - w.t
        allowed = jnp.minimum(jnp.minimum(w.allowed, cap), w.held)
        pieces = jnp.maximum(jnp.ceil(left / allowed * (1 - 1e-6)), 1.0)
        h = constant(jnp.where(pieces <= 2, left / pieces, allowed))
        after = jnp.where(pieces <= 1, until, w.t + h)
        tried = stepped(constant(w), h, constant(params)) if apart else stepped(w, h, params)
        seen = constant((w.y, tried, params))
        following = scheme.stable_step(after, *seen[1:])
        accepted = scheme.admissible(after, *seen) & (h <= OVERSHOT * following)
        if apart:
            tried = stepped(kept_where(accepted, w), h, kept_where(accepted, params))
        refused = jnp.where(accepted, 0, w.refused + 1)
        stuck = (refused >= REFUSALS) | ~(w.t + h > w.t)
        return _Walk(
            constant(jnp.where(accepted, after, w.t)),
            tuple(jnp.where(accepted, a, b) for a, b in zip(tried, w.y, strict=True)),
            jnp.where(accepted, following, w.allowed),
            jnp.where(accepted, infinite, h / 2),
            refused,
            w.tally.after(accepted, h, stuck),
        )

    end = loop(going, attempt, walk)
    return State(end.t, end.y, jnp.minimum(end.allowed, end.held)), end.tally
