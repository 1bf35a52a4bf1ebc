"""Steps as long as the waves of the present state allow."""

from typing import NamedTuple, TypeVar

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Courant, Parameters, State, Vector
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
    The last two steps to `until` are made equal. Forward mode only.
    """
    dtype = state.t.dtype
    cap = jnp.asarray(jnp.inf if longest is None else longest, dtype)
    zero = jnp.zeros((), "int32")
    tally = Tally(zero, zero, jnp.zeros((), dtype), jnp.zeros((), bool))
    first = scheme.stable_step(state.t, state.y, params)
    infinite = jnp.full_like(first, jnp.inf)
    walk = _Walk(state.t, state.y, first, infinite, zero, tally)

    def going(w: _Walk) -> Array:
        return (w.t < until) & (w.tally.steps < budget) & ~w.tally.stuck

    def attempt(w: _Walk) -> _Walk:
        left = until - w.t
        allowed = jnp.minimum(jnp.minimum(w.allowed, cap), w.held)
        pieces = jnp.maximum(jnp.ceil(left / allowed * (1 - 1e-6)), 1.0)
        h = jnp.where(pieces <= 2, left / pieces, allowed)
        after = jnp.where(pieces <= 1, until, w.t + h)
        carry = scheme.embed(w.t, w.y, params)
        memory = method.start(w.t, carry, params)
        tried = scheme.core(method.step(w.t, carry, memory, h, method.aid(h, params), params).carry)
        following = scheme.stable_step(after, tried, params)
        accepted = scheme.admissible(after, w.y, tried, params) & (h <= OVERSHOT * following)
        refused = jnp.where(accepted, 0, w.refused + 1)
        stuck = (refused >= REFUSALS) | ~(w.t + h > w.t)
        return _Walk(
            jnp.where(accepted, after, w.t),
            tuple(jnp.where(accepted, a, b) for a, b in zip(tried, w.y, strict=True)),
            jnp.where(accepted, following, w.allowed),
            jnp.where(accepted, infinite, h / 2),
            refused,
            Tally(
                w.tally.steps + accepted.astype("int32"),
                w.tally.rejected + (~accepted).astype("int32"),
                jnp.where(accepted, h, w.tally.last),
                stuck,
            ),
        )

    end = lax.while_loop(going, attempt, walk)
    return State(end.t, end.y, jnp.minimum(end.allowed, end.held)), end.tally
