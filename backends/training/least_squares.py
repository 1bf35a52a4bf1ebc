"""Levenberg–Marquardt on the residual vector, by dense normal equations.

For networks of up to some thousand parameters. Every residual belongs to one point, so that its row of the
Jacobian is a gradient of its own: all rows cost about one reverse pass, where the general solvers
(optimistix) take one forward pass for each parameter.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.losses import Batch, Weights
from nablax.backends.residuals.points import Points
from nablax.backends.training.optimisers import Factors, Optimiser
from nablax.backends.training.task import Task
from nablax.training.records import Phase

TRIES = 8  # of a damping before a step is given up
SMALLEST, LARGEST = 1e-14, 1e6
STRIP = 320  # rows of JᵀJ made at once

Unravel: TypeAlias = Callable[[Array], PyTree]


class Damping(NamedTuple):
    """The Levenberg–Marquardt parameter."""

    value: Array


def least_squares(task: Task, phase: Phase) -> Optimiser:
    """(JᵀJ + λ I) δ = -Jᵀr, with λ raised until the sum of squares falls (Levenberg 1944, Marquardt 1963).

    λ follows the ratio of what was gained to what the linear model promised (Nielsen, IMM-REP-1999-05): few
    attempts fail. As natural gradient descent for networks: Müller & Zeinhofer, ICML 2023.
    """

    def init(free: PyTree) -> Damping:
        return Damping(jnp.asarray(phase.damping, ravel_pytree(free)[0].dtype))

    def step(
        free: PyTree, state: PyTree, weights: Factors, batch: Batch, key: Array
    ) -> tuple[PyTree, PyTree, Factors]:
        del key
        assert isinstance(state, Damping)
        flat, unravel = ravel_pytree(free)

        def residuals(values: Array) -> Array:
            return task.vector(task.bounds.bounded(unravel(values)), batch, weights)

        before, A, slope = normal_equations(task, flat, unravel, batch, weights)

        def attempt(tried: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
            damping, _, count, _ = tried
            damped = A + damping * jnp.eye(flat.size, dtype=flat.dtype)
            factor = jnp.linalg.cholesky(damped, symmetrize_input=False)
            change = -jax.scipy.linalg.cho_solve((factor, True), slope)
            after = residuals(flat + change)
            gained, promised = before - after @ after, change @ (damping * change - slope)
            falls = gained > 0  # false where it is not a number
            eased = jnp.maximum(1 / 3, 1 - (2 * gained / promised - 1) ** 3)
            return damping * jnp.where(falls, eased, 4), flat + change, count + 1, falls

        start = (state.value, flat, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
        damping, moved, _, falls = jax.lax.while_loop(lambda s: ~s[3] & (s[2] < TRIES), attempt, start)
        held = Damping(jnp.clip(damping, SMALLEST, LARGEST))
        return unravel(jnp.where(falls, moved, flat)), held, weights

    return Optimiser(init, step)


def normal_equations(
    task: Task, flat: Array, unravel: Unravel, batch: Batch, weights: Weights
) -> tuple[Array, Array, Array]:
    """(rᵀr, the lower triangle of JᵀJ [P, P], Jᵀr [P]) of the residual vector at flat parameters [P]."""
    total, A, slope = jnp.zeros((), flat.dtype), jnp.zeros((flat.size,) * 2, flat.dtype), jnp.zeros_like(flat)
    for place, points in batch.items():
        r, Jt = columns(task, flat, unravel, place, points, weights)
        total, A, slope = total + r @ r, A + lower_gram(Jt), slope + Jt @ r
    return total, A, slope


def lower_gram(Jt: Array) -> Array:
    """The lower triangle of JᵀJ [P, P] from Jᵀ [P, m], by strips; above it is what the strips bring along.

    Most of a step's time. Both factors run along their rows, and less than two thirds of the products are
    made: a third of the time of `J.T @ J` on a CPU.
    """
    P = len(Jt)
    strips = [Jt[i : i + STRIP] @ Jt[: i + STRIP].T for i in range(0, P, STRIP)]
    return jnp.concatenate([jnp.pad(s, ((0, 0), (0, P - s.shape[1]))) for s in strips])


def columns(
    task: Task, flat: Array, unravel: Unravel, place: str, points: Points, weights: Weights
) -> tuple[Array, Array]:
    """(residuals [m], their derivatives Jᵀ [P, m]) of one place, every point a column or more."""
    assert isinstance(points, Mapping)
    count = np.shape(next(iter(points.values())))[0]
    alike = {name: w for name, w in weights.items() if not jnp.ndim(w)}
    own = {name: w for name, w in weights.items() if jnp.ndim(w) and name in (place, *_names(task, place))}

    def residuals(values: Array, point: Mapping[str, Array], weight: Weights) -> tuple[Array, Array]:
        one = {name: column[None] for name, column in point.items()}
        each = alike | {name: jnp.asarray(w)[None] for name, w in weight.items()}
        r = task.vector(task.bounds.bounded(unravel(values)), {place: one}, each)
        r = r / jnp.sqrt(jnp.asarray(count, r.dtype))
        return r, r

    J, r = jax.vmap(jax.jacrev(residuals, has_aux=True), (None, 0, 0), -1)(flat, points, own)
    return r.reshape(-1), jnp.moveaxis(J, -2, 0).reshape(flat.size, -1)


def _names(task: Task, place: str) -> tuple[str, ...]:
    return tuple(s.name for s in task.losses.places[place].needs.statements)
