"""Where reverse mode cannot pass, said in the words of the plan."""

from collections.abc import Callable

import jax
from jax import Array

CHOSEN_STEPS = (
    "reverse mode needs a fixed number of steps, and this plan chooses its steps itself: set `dt` in the "
    "`solve` block, or differentiate forward with jax.jvp or jax.jacfwd"
)
CONVERGED_STAGES = (
    "reverse mode cannot pass the iteration of a nonlinear implicit step: take `step = imex` or an explicit "
    "one with a fixed `dt`, or differentiate forward with jax.jvp or jax.jacfwd"
)


class ReverseModeError(Exception):
    """Reverse mode was asked of a loop that ends when it has converged."""


def forward_only(reason: str) -> Callable[[Array], Array]:
    """The identity, whose transpose raises `ReverseModeError` with the reason.

    Early versions of JAX trace the transpose in forward mode as well; there it is the bare identity, and
    JAX's own error for a `while_loop` has to do.
    """

    def refuse(_: tuple[()], cotangent: Array) -> Array:
        raise ReverseModeError(reason)

    def through(a: Array) -> Array:
        same: Array = jax.custom_derivatives.linear_call(lambda _, x: x, refuse, (), a)
        return same

    try:
        jax.eval_shape(through, 0.0)
    except ReverseModeError:
        return lambda a: a

    @jax.custom_jvp
    def identity(a: Array) -> Array:
        return a

    @identity.defjvp
    def tangent(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        return identity(*primals), through(*tangents)

    return identity
