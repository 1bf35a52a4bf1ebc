"""Newton–Krylov: roots of discrete equations, differentiable by the implicit function theorem.

Corrections solve the linearised equations by preconditioned GMRES to a loose tolerance; each is shortened
until the preconditioned residual falls (P. Deuflhard, "Newton Methods for Nonlinear Problems", section
3.3: a test that a change of units in the equations leaves alone).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends import krylov
from nablax.backends.interface import Vector

STEPS = 40
HALVINGS = 12
FORCING = 1e-4  # relative error of a correction
LEFT = 1e-2  # of the data: what a linear solve may leave unasked
DROWNED = 1e-2  # of a solution: as far as rounding may move it; where it does more, equations are singular
DESCENT = 0.1  # of the fall that the linearised equations promise

Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class Equations:
    """0 = residual(x). `precondition(x)` is an approximate inverse of the derivative there."""

    residual: krylov.Operator
    precondition: Callable[[Vector], krylov.Operator]


@dataclass(frozen=True, slots=True)
class Kind:
    """`linear`: one solve. `direct`: the preconditioner is the inverse itself. `regular`: nothing is free,
    so that the residual of a linear solve vanishes to rounding unless the equations are singular."""

    linear: bool
    direct: bool
    regular: bool


class Root(NamedTuple):
    """`x` is NaN throughout where nothing converged; `residuals` [STEPS + 1] are root mean squares, the
    guess's first, NaN beyond the last iteration."""

    x: Vector
    residuals: Array
    converged: Array


def root(
    equations: Callable[[Data], Equations], data: Data, guess: Vector, kind: Kind, tolerance: float
) -> Root:
    """The root next to `guess`, to a relative `tolerance` of x.

    `data` is a pytree that holds all that the equations depend on, and is what derivatives are taken of.
    """
    if kind.linear:
        return _linear(equations(data), guess, kind)
    frozen = equations(jax.tree.map(lax.stop_gradient, data))
    found = _iterate(frozen, jax.tree.map(lax.stop_gradient, guess), tolerance)
    start = jax.tree.map(lax.stop_gradient, found.x)
    inverse = frozen.precondition(start)
    x = lax.custom_root(
        equations(data).residual,
        start,
        lambda _, x: x,
        lambda slope, right: krylov.solve(slope, right, inverse),
    )
    return Root(x, lax.stop_gradient(found.residuals), found.converged)


def _linear(equations: Equations, guess: Vector, kind: Kind) -> Root:
    before = equations.residual(guess)
    right = jax.tree.map(jnp.negative, before)
    inverse = equations.precondition(guess)
    if kind.direct:
        change = inverse(right)
    else:
        change = krylov.solve(lambda v: jax.jvp(equations.residual, (guess,), (v,))[1], right, inverse)
    x = _moved(guess, jnp.ones((), before[0].real.dtype), change)
    sizes = jnp.full(STEPS + 1, jnp.nan, before[0].real.dtype)
    left = equations.residual(x)
    sizes = sizes.at[0].set(mean_square(before)).at[1].set(mean_square(left))
    solved = jnp.isfinite(sizes[1])
    if kind.regular:
        # Next to a singular operator x is so large that the data drown in the rounding of its image. A fine
        # grid leaves as much of them, but what one more correction makes of it is small beside x.
        solved &= lax.cond(
            sizes[1] <= LEFT * sizes[0],
            lambda x, left: jnp.asarray(True),
            lambda x, left: mean_square(inverse(left)) <= DROWNED * mean_square(x),
            *jax.tree.map(lax.stop_gradient, (x, left)),
        )
        x = tuple(jnp.where(solved, a, jnp.nan) for a in x)
    return Root(x, lax.stop_gradient(sizes), lax.stop_gradient(solved))


class _Progress(NamedTuple):
    step: Array
    x: Vector
    residual: Vector
    sizes: Array
    scale: Array  # the largest norm of x and of a correction so far
    converged: Array
    stuck: Array


def _iterate(equations: Equations, guess: Vector, tolerance: float) -> Root:
    before = equations.residual(guess)
    real = before[0].real.dtype
    start = _Progress(
        jnp.zeros((), jnp.int32),
        guess,
        before,
        jnp.full(STEPS + 1, jnp.nan, real).at[0].set(mean_square(before)),
        mean_square(guess),
        jnp.asarray(False),
        jnp.asarray(False),
    )

    def going(s: _Progress) -> Array:
        return (s.step < STEPS) & ~s.converged & ~s.stuck

    def again(s: _Progress) -> _Progress:
        inverse = equations.precondition(s.x)
        _, slope = jax.linearize(equations.residual, s.x)
        change = krylov.iterate(slope, jax.tree.map(jnp.negative, s.residual), inverse, FORCING)
        size = mean_square(change)
        scale = jnp.maximum(s.scale, jnp.where(jnp.isfinite(size), size, 0))
        small = size <= tolerance * scale
        level = mean_square(inverse(s.residual))

        def trial(length: Array) -> tuple[Vector, Vector, Array]:
            x = _moved(s.x, length, change)
            residual = equations.residual(x)
            return x, residual, mean_square(inverse(residual))

        Trial = tuple[Array, Vector, Vector, Array]

        def refused(t: Trial) -> Array:
            length, _, _, reached = t
            falls = reached <= (1 - DESCENT * length) * level
            return ~(falls | small) & (length > 0.5**HALVINGS) & jnp.isfinite(size)

        def shorter(t: Trial) -> Trial:
            return t[0] / 2, *trial(t[0] / 2)

        one = jnp.ones((), real)
        length, x, residual, reached = lax.while_loop(refused, shorter, (one, *trial(one)))
        stuck = ~jnp.isfinite(reached) | (~small & (length <= 0.5**HALVINGS))
        norm = mean_square(x)
        return _Progress(
            s.step + 1,
            x,
            residual,
            s.sizes.at[s.step + 1].set(mean_square(residual)),
            jnp.maximum(scale, jnp.where(jnp.isfinite(norm), norm, 0)),
            small & ~stuck,
            stuck,
        )

    end = lax.while_loop(going, again, start)
    x = tuple(jnp.where(end.converged, a, jnp.nan) for a in end.x)
    return Root(x, end.sizes, end.converged)


def _moved(x: Vector, length: Array, change: Vector) -> Vector:
    return tuple(a + length.astype(a.dtype) * c.astype(a.dtype) for a, c in zip(x, change, strict=True))


def mean_square(vector: Vector) -> Array:
    """The root mean square over all entries."""
    total = jnp.zeros((), vector[0].real.dtype)
    for part in vector:
        total = total + jnp.sum(jnp.real(part) ** 2 + jnp.imag(part) ** 2)
    return jnp.sqrt(total / sum(part.size for part in vector))
