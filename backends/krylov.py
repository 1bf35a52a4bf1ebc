"""Preconditioned GMRES on tuples of arrays, with an honest end: NaN where it did not converge."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Vector

Operator = Callable[[Vector], Vector]
RESTART, CYCLES = 20, 25


def solve(operator: Operator, right: Vector, precondition: Operator) -> Vector:
    """x with operator(x) = right, `precondition` an approximate inverse; GMRES(20), at most 25 cycles.

    `operator` has to be linear over the reals only: complex arrays are iterated on as pairs of real
    ones. Converged means that the preconditioned residual, an estimate of the error, is below 1e-12
    (float32: 1e-6) of x, or stagnates below a hundred times that; otherwise the result is NaN
    throughout. Differentiable in `right` and in what the operator closes over, by the implicit
    function theorem.
    """
    tolerance = 1e-12 if right[0].real.dtype == jnp.float64 else 1e-6
    kinds = tuple(jnp.iscomplexobj(r) for r in right)
    b = _split(right)
    inverse = _lifted(precondition, kinds)

    def forward(matrix: Operator, b: Vector) -> Vector:
        return _gmres(matrix, b, inverse, tolerance)

    def backward(matrix: Operator, b: Vector) -> Vector:
        transposed = jax.linear_transpose(inverse, b)
        return _gmres(matrix, b, lambda v: transposed(v)[0], tolerance)

    return _join(lax.custom_linear_solve(_lifted(operator, kinds), b, forward, backward), kinds)


def iterate(operator: Operator, right: Vector, precondition: Operator, tolerance: float) -> Vector:
    """The same to a tolerance of one's own, and not differentiable: for a step of an outer iteration."""
    kinds = tuple(jnp.iscomplexobj(r) for r in right)
    found = _gmres(_lifted(operator, kinds), _split(right), _lifted(precondition, kinds), tolerance)
    return _join(found, kinds)


def _lifted(function: Operator, kinds: tuple[bool, ...]) -> Operator:
    return lambda parts: _split(function(_join(parts, kinds)))


class _State(NamedTuple):
    """`phase` 0: the first guess, 1: the residual of x, 2: a step of Arnoldi's process, 3: done."""

    phase: Array
    cycle: Array
    k: Array  # columns of the basis so far
    x: Vector
    basis: Vector  # RESTART + 1 orthonormal vectors, stacked
    triangle: Array  # R of the Hessenberg matrix, [RESTART, RESTART]
    rotations: Array  # [RESTART, 2]
    target: Array  # rotated right side of the small problem, [RESTART + 1]
    residual: Array  # norm of the last true residual
    converged: Array


def _gmres(matrix: Operator, b: Vector, inverse: Operator, tolerance: float) -> Vector:
    # One loop with one application of the operator in its body: what compiles is small.
    real = b[0].dtype
    zero = tuple(jnp.zeros_like(p) for p in b)
    start = _State(
        phase=jnp.zeros((), jnp.int32),
        cycle=jnp.zeros((), jnp.int32),
        k=jnp.zeros((), jnp.int32),
        x=zero,
        basis=tuple(jnp.zeros((RESTART + 1, *p.shape), real) for p in b),
        triangle=jnp.zeros((RESTART, RESTART), real),
        rotations=jnp.zeros((RESTART, 2), real),
        target=jnp.zeros(RESTART + 1, real),
        residual=jnp.asarray(jnp.inf, real),
        converged=jnp.asarray(False),
    )

    def body(s: _State) -> _State:
        arnoldi = s.phase == 2
        newest = tuple(lax.dynamic_index_in_dim(q, s.k, keepdims=False) for q in s.basis)
        argument = tuple(jnp.where(arnoldi, q, x) for q, x in zip(newest, s.x, strict=True))
        image = matrix(argument)
        # M(b - A x) for a guess or a residual, M A q for a step.
        combined = tuple(jnp.where(arnoldi, a, c - a) for a, c in zip(image, b, strict=True))
        w = inverse(combined)
        branches = (_guess, partial(_restart, tolerance=tolerance), partial(_step, tolerance=tolerance))
        after: _State = lax.switch(s.phase, branches, s, w)
        return after

    limit = 1 + (RESTART + 1) * CYCLES
    count = jnp.zeros((), jnp.int32)
    end, _ = lax.while_loop(
        lambda c: (c[0].phase < 3) & (c[1] < limit), lambda c: (body(c[0]), c[1] + 1), (start, count)
    )
    return tuple(jnp.where(end.converged, p, jnp.nan) for p in end.x)


def _guess(s: _State, w: Vector) -> _State:
    return s._replace(phase=jnp.ones((), jnp.int32), x=w)


def _restart(s: _State, w: Vector, tolerance: float) -> _State:
    norm, size = _norm(w), _norm(s.x)
    # Rounding may keep the residual above the tolerance: what no cycle improves is as good as it gets.
    stagnant = (norm > s.residual / 2) & (norm <= 100 * tolerance * size)
    converged = (norm <= tolerance * size) | stagnant
    done = converged | ~jnp.isfinite(norm)
    scale = 1 / jnp.where(norm == 0, 1, norm)
    basis = tuple(jnp.zeros_like(q).at[0].set(p * scale) for q, p in zip(s.basis, w, strict=True))
    return s._replace(
        phase=jnp.where(done, 3, 2).astype(jnp.int32),
        cycle=s.cycle + 1,
        k=jnp.zeros((), jnp.int32),
        basis=basis,
        triangle=jnp.eye(RESTART, dtype=norm.dtype),
        target=jnp.zeros(RESTART + 1, norm.dtype).at[0].set(norm),
        residual=norm,
        converged=converged,
    )


def _step(s: _State, w: Vector, tolerance: float) -> _State:
    # Classical Gram-Schmidt, twice: as stable as the modified one and two products with the basis.
    column = _project(s.basis, w)
    w = _subtract(w, s.basis, column)
    again = _project(s.basis, w)
    w = _subtract(w, s.basis, again)
    column = column + again
    norm = _norm(w)
    scale = 1 / jnp.where(norm == 0, 1, norm)
    k = s.k
    basis = tuple(
        lax.dynamic_update_index_in_dim(q, p * scale, k + 1, 0) for q, p in zip(s.basis, w, strict=True)
    )
    column = column.at[k + 1].set(norm)

    def rotate(i: Array, h: Array) -> Array:
        c, d = s.rotations[i, 0], s.rotations[i, 1]
        upper, lower = c * h[i] + d * h[i + 1], c * h[i + 1] - d * h[i]
        return h.at[i].set(upper).at[i + 1].set(lower)

    column = lax.fori_loop(0, k, rotate, column)
    length = jnp.hypot(column[k], column[k + 1])
    safe = jnp.where(length == 0, 1, length)
    c, d = column[k] / safe, column[k + 1] / safe
    column = column.at[k].set(length).at[k + 1].set(0)
    target = s.target.at[k].set(c * s.target[k]).at[k + 1].set(-d * s.target[k])
    triangle = s.triangle.at[:, k].set(column[:RESTART])
    following = k + 1
    small = jnp.abs(target[following]) <= 0.1 * tolerance * _norm(s.x)
    close = (following == RESTART) | small | (norm == 0)

    def finish() -> Vector:
        used = jnp.arange(RESTART, dtype=jnp.int32) < following
        y = jax.scipy.linalg.solve_triangular(triangle, jnp.where(used, target[:RESTART], 0))
        return _subtract(s.x, tuple(q[:RESTART] for q in basis), -y)

    return s._replace(
        phase=jnp.where(close, 1, 2).astype(jnp.int32),
        k=jnp.where(close, 0, following).astype(jnp.int32),
        x=lax.cond(close, finish, lambda: s.x),
        basis=basis,
        triangle=triangle,
        rotations=s.rotations.at[k].set(jnp.stack([c, d])),
        target=target,
    )


def _norm(vector: Vector) -> Array:
    total = jnp.zeros((), vector[0].dtype)
    for part in vector:
        total = total + jnp.sum(part * part)
    return jnp.sqrt(total)


def _project(basis: Vector, w: Vector) -> Array:
    total = jnp.zeros(basis[0].shape[0], w[0].dtype)
    for q, p in zip(basis, w, strict=True):
        total = total + jnp.tensordot(q, p, axes=p.ndim, precision=lax.Precision.HIGHEST)
    return total


def _subtract(w: Vector, basis: Vector, column: Array) -> Vector:
    return tuple(
        p - jnp.tensordot(column, q, axes=1, precision=lax.Precision.HIGHEST)
        for p, q in zip(w, basis, strict=True)
    )


def _split(vector: Vector) -> Vector:
    parts: list[Array] = []
    for array in vector:
        parts.extend((jnp.real(array), jnp.imag(array)) if jnp.iscomplexobj(array) else (array,))
    return tuple(parts)


def _join(parts: Vector, kinds: tuple[bool, ...]) -> Vector:
    rest = iter(parts)
    return tuple(lax.complex(next(rest), next(rest)) if kind else next(rest) for kind in kinds)
