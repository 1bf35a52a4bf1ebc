"""Loops that end when the run says so, made differentiable both ways.

A `while_loop` has a derivative in forward mode only. In reverse mode the same loop runs with checkpoints,
whose number is fixed while the number of steps is not (P. Stumm, A. Walther, SIAM J. Sci. Comput. 32
(2010) 836, as equinox implements it).
"""

from collections.abc import Callable
from typing import Protocol, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

CHECKPOINTS = 64  # states kept; each of up to 2145 steps is computed at most twice more
SECOND = (
    "second derivatives do not pass steps that the run itself chooses: set `dt` in the `solve` block, or "
    "pass `dt=...` to `compile`"
)

Walk = TypeVar("Walk")
Operands = TypeVar("Operands")
Result = TypeVar("Result")
Tree = TypeVar("Tree")
Leaves = tuple[Array, ...]


class SecondDerivativeError(Exception):
    """A derivative was asked of the derivative of a loop that chooses its steps."""


class Loop(Protocol):
    """`jax.lax.while_loop`, or one with the same meaning."""

    def __call__(
        self, cond_fun: Callable[[Walk], Array], body_fun: Callable[[Walk], Walk], init_val: Walk, /
    ) -> Walk: ...


def checkpointed_loop(
    cond_fun: Callable[[Walk], Array], body_fun: Callable[[Walk], Walk], init_val: Walk, /
) -> Walk:
    """`while_loop` for reverse mode only."""
    from equinox.internal import while_loop

    found: Walk = while_loop(cond_fun, body_fun, init_val, kind="checkpointed", checkpoints=CHECKPOINTS)
    return found


def constant(tree: Tree) -> Tree:
    """The same, without a derivative."""
    same: Tree = jax.tree.map(lax.stop_gradient, tree)
    return same


def kept_where(condition: Array, tree: Tree) -> Tree:
    """The same; where the condition fails, without a derivative.

    What a refused step would have led to may be infinite, and its derivative is then not a number, which
    no zero cotangent makes good.
    """
    same: Tree = jax.tree.map(lambda a: jnp.where(condition, a, lax.stop_gradient(a)), tree)
    return same


def both_modes(
    value: Callable[[Operands], Result],
    forward: Callable[[Operands], Result],
    reverse: Callable[[Operands], Result],
) -> Callable[[Operands], Result]:
    """`value`, differentiated as `forward` in forward mode and as `reverse` in reverse mode.

    The three are the same function of a pytree of arrays, computed in three ways. Raises
    `SecondDerivativeError` under a second transformation.
    """

    traced_once: Callable[[Operands], Result] = jax.jit(value)

    def function(operands: Operands) -> Result:
        leaves, tree = jax.tree.flatten(operands)
        leaves = [jnp.asarray(a) for a in leaves]
        real = [_moves(a) for a in leaves]
        moving = tuple(a for a, moves in zip(leaves, real, strict=True) if moves)
        still = tuple(a for a, moves in zip(leaves, real, strict=True) if not moves)
        result_tree = jax.tree.structure(jax.eval_shape(traced_once, operands))

        def flat(original: Callable[[Operands], Result], moving: Leaves, still: Leaves) -> Leaves:
            a, b = iter(moving), iter(still)
            whole: Operands = jax.tree.unflatten(tree, [next(a) if moves else next(b) for moves in real])
            return tuple(jax.tree.leaves(original(whole)))

        @jax.custom_jvp
        def run(moving: Leaves, still: Leaves) -> Leaves:
            return flat(traced_once, moving, still)

        @run.defjvp
        def tangent(primals: tuple[Leaves, Leaves], tangents: tuple[Leaves, Leaves]) -> tuple[Leaves, Leaves]:
            moving, still = primals
            out = run(moving, still)

            def smooth(original: Callable[[Operands], Result]) -> Callable[[Leaves], Leaves]:
                return lambda x: tuple(a for a in flat(original, x, still) if _moves(a))

            moved = iter(_linear(smooth(forward), smooth(reverse), moving, tangents[0]))
            return out, tuple(next(moved) if _moves(a) else _no_tangent(a) for a in out)

        result: Result = jax.tree.unflatten(result_tree, run(moving, still))
        return result

    return function


def _linear(
    forward: Callable[[Leaves], Leaves], reverse: Callable[[Leaves], Leaves], x: Leaves, dx: Leaves
) -> Leaves:
    """The derivative at x along dx, whose transpose is that of `reverse`.

    As the trivial linear solve (dx, 0) ↦ (0, A dx): the one public operation that takes a transpose of
    its own and knows what a batch is.
    """
    x = tuple(_once(a) for a in x)
    zero = tuple(jnp.zeros(a.shape, a.dtype) for a in jax.eval_shape(forward, x))
    dx, zero = _tied(dx, (dx, zero))

    def apply(_: object, right: tuple[Leaves, Leaves]) -> tuple[Leaves, Leaves]:
        moved = jax.jvp(forward, (x,), (right[0],))[1]
        return tuple(map(jnp.zeros_like, right[0])), moved

    def transposed(_: object, cotangent: tuple[Leaves, Leaves]) -> tuple[Leaves, Leaves]:
        (pulled,) = jax.vjp(reverse, x)[1](cotangent[1])
        return pulled, tuple(map(jnp.zeros_like, cotangent[1]))

    found: tuple[Leaves, Leaves] = lax.custom_linear_solve(lambda v: v, (dx, zero), apply, transposed)
    return found[1]


def _tied(to: Leaves, tree: Tree) -> Tree:
    """The same, each array a linear function of all of `to`: a linear solve is transposed in its whole right
    side or not at all, and tangents known to be zero would not be part of it."""
    total = sum((jnp.sum(a.real) for a in to), jnp.zeros(()))
    nothing = jnp.where(jnp.zeros((), bool), total, jnp.zeros_like(total))
    same: Tree = jax.tree.map(lambda a: a + nothing.astype(a.dtype), tree)
    return same


@jax.custom_jvp
def _once(a: Array) -> Array:
    return a


@_once.defjvp
def _refuse(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    raise SecondDerivativeError(SECOND)


def _no_tangent(a: Array) -> Array:
    """What stands for the tangent of integers and truth values."""
    return cast(Array, np.zeros(a.shape, jax.dtypes.float0))


def _moves(a: Array | jax.ShapeDtypeStruct) -> bool:
    return bool(jnp.issubdtype(a.dtype, jnp.inexact))
