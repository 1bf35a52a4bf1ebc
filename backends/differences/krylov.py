"""Preconditioned GMRES on tuples of arrays, with an honest end: NaN where it did not converge."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.sparse.linalg import gmres

from nablax.backends.interface import Vector

Operator = Callable[[Vector], Vector]
RESTART, CYCLES = 20, 25


def solve(operator: Operator, right: Vector, precondition: Operator) -> Vector:
    """x with operator(x) = right, `precondition` an approximate inverse; GMRES(20), at most 25 cycles.

    `operator` has to be linear over the reals only: complex arrays are iterated on as pairs of real
    ones. Converged means that the preconditioned residual, an estimate of the error, is below 100
    tolerances (1e-12 in float64, 1e-6 in float32) of x; otherwise every entry of the result is NaN.
    """
    tolerance = 1e-12 if right[0].real.dtype == jnp.float64 else 1e-6
    kinds = tuple(jnp.iscomplexobj(r) for r in right)

    def lifted(function: Operator) -> Operator:
        return lambda parts: _split(function(_join(parts, kinds)))

    matrix, inverse = lifted(operator), lifted(precondition)
    b = _split(right)
    guess = inverse(b)
    x, _ = gmres(  # type: ignore[no-untyped-call]
        matrix,
        b,
        x0=guess,
        tol=tolerance,
        atol=0.0,
        restart=RESTART,
        maxiter=CYCLES,
        M=inverse,
        solve_method="incremental",
    )
    residual = inverse(tuple(a - c for a, c in zip(b, matrix(x), strict=True)))
    converged = _square(residual) <= (100 * tolerance) ** 2 * _square(x)
    return _join(tuple(jnp.where(converged, a, jnp.nan) for a in x), kinds)


def _square(parts: Vector) -> Array:
    total = jnp.zeros((), parts[0].dtype)
    for part in parts:
        total = total + jnp.sum(part * part)
    return total


def _split(vector: Vector) -> Vector:
    parts: list[Array] = []
    for array in vector:
        parts.extend((jnp.real(array), jnp.imag(array)) if jnp.iscomplexobj(array) else (array,))
    return tuple(parts)


def _join(parts: Vector, kinds: tuple[bool, ...]) -> Vector:
    rest = list(parts)
    result = []
    for is_complex in kinds:
        if is_complex:
            real, imaginary = rest[0], rest[1]
            result.append(lax.complex(real, imaginary))
            rest = rest[2:]
        else:
            result.append(rest[0])
            rest = rest[1:]
    return tuple(result)
