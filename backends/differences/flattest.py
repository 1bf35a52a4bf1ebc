"""Shifted solves with a symmetric operator beside its flattest mode, whose eigenvalue may be next to zero."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.sparse.linalg import cg

STEPS = 1000  # of conjugate gradients, at most
Act = Callable[[Array], Array]
_conjugate_gradients: Callable[..., tuple[Array, object]] = cg  # has no types of its own


@dataclass(frozen=True, eq=False, slots=True)
class Flattest:
    """A mode that an operator A nearly has, set apart: A mode = value mode + slope, |mode| = 1, the slope
    orthogonal to it."""

    value: Array
    mode: Array
    slope: Array

    def without(self, v: Array) -> Array:
        return v - jnp.sum(self.mode * v) * self.mode


def solve_shifted(
    act: Act, shift: Array, inverse: Act, right: Array, apart: Flattest | None, pull: Array
) -> Array:
    """(A + shift)^(-1) right by conjugate gradients, not a number where they do not converge; `inverse` is
    what they are preconditioned with.

    Beside a mode set apart, of which `right` holds nothing, what the solution is on the others if the whole
    equation holds nothing of the mode either: the Schur complement A + shift - pull slope slope^T there,
    `pull` = 1/(value + shift). On the mode the matrix is 1, so that rounding stays what it is.
    """
    tolerance = 1e-13 if right.dtype == jnp.float64 else 1e-6

    def matrix(v: Array) -> Array:
        if apart is None:
            return act(v) + shift * v
        others = apart.without(v)
        back = pull * jnp.sum(apart.slope * others) * apart.slope
        return apart.without(act(others)) + shift * others - back + (v - others)

    def near(v: Array) -> Array:
        if apart is None:
            return inverse(v)
        others = apart.without(v)
        return apart.without(inverse(others)) + (v - others)

    def conjugate(matrix: Act, b: Array) -> Array:
        others = b if apart is None else apart.without(b)
        found, _ = _conjugate_gradients(matrix, others, tol=tolerance, maxiter=STEPS, M=near)
        found = found + (b - others)
        left = jnp.linalg.norm(jnp.ravel(matrix(found) - b))
        honest = left <= 1e4 * tolerance * jnp.linalg.norm(jnp.ravel(b))
        return jnp.where(honest, found, jnp.nan)

    solution: Array = lax.custom_linear_solve(matrix, right, conjugate, symmetric=True)
    return solution
