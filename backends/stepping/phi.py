"""The functions φ_k(z) = (φ_{k-1}(z) - 1/(k-1)!) / z of exponential integrators, without cancellation.

Kassam and Trefethen (SIAM J. Sci. Comput. 26 (2005) 1214) average over a contour; here a Taylor series
serves the small arguments and the recurrence the others, which needs no points and no complex numbers
for a real symbol. Matrices go through scaling and squaring (Skaflestad and Wright, Appl. Numer. Math. 59
(2009) 783, equation 2.8).
"""

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

TERMS = 18  # of the series of φ3 on |z| < 1: the first one left out is below 1e-19
DEGREE = 18  # of the series of φ3 for a matrix whose powers grow no faster than 1


class Phi(NamedTuple):
    """e^z, φ1, φ2, φ3, each of z's shape."""

    exponential: Array
    one: Array
    two: Array
    three: Array


def phi(z: Array) -> Phi:
    """Elementwise; real for a real z. Relative error a few units of rounding where φ has no zero near."""
    small = jnp.abs(z) < 1
    near = jnp.where(small, z, jnp.zeros_like(z))
    far = jnp.where(small, jnp.ones_like(z), z)
    weights = jnp.asarray([1 / factorial(n + 3) for n in range(TERMS)], near.real.dtype)

    def horner(i: Array, carried: tuple[Array, Array]) -> tuple[Array, Array]:
        total, exponential = carried
        return total * near + weights[TERMS - 1 - i].astype(z.dtype), exponential

    # A loop, not an expression, and the exponential taken through it: what a loop carries is stored,
    # where a compiler would copy an expression into each of its uses.
    three, exponential = lax.fori_loop(0, TERMS, horner, (jnp.zeros_like(z), jnp.exp(z)))
    two = near * three + 0.5
    one = near * two + 1.0
    far_one = (exponential - 1.0) / far
    far_two = (far_one - 1.0) / far
    far_three = (far_two - 0.5) / far
    return Phi(
        exponential,
        jnp.where(small, one, far_one),
        jnp.where(small, two, far_two),
        jnp.where(small, three, far_three),
    )


def doubled(p: Phi, times: Callable[[Array, Array], Array]) -> Phi:
    """φ(2z) from φ(z); every term has one sign for real z, so that nothing cancels."""
    e, one, two, three = p
    return Phi(
        times(e, e),
        (times(e, one) + one) / 2,
        (times(e, two) + one + two) / 4,
        (times(e, three) + one / 2 + two + three) / 8,
    )


def phi_matrix(a: Array) -> Phi:
    """For a batch of matrices [n, n, ...]: φ of a/2^s by series, doubled s times.

    s is each matrix's own, from ‖a²‖^(1/2) and ‖a³‖^(1/3), which see the growth of a's powers where ‖a‖
    may be far above it (Al-Mohy and Higham, SIAM J. Matrix Anal. Appl. 31 (2009) 970): a wave operator
    [[0, 1], [-k², 0]] counts as k, and every needless doubling would cost a bit.
    """
    n = a.shape[0]
    square = times(a, a)
    growth = jnp.maximum(jnp.sqrt(_norm(square)), jnp.cbrt(_norm(times(square, a))))
    tiny = float(np.finfo(growth.dtype).tiny)
    doublings = jnp.clip(jnp.ceil(jnp.log2(jnp.maximum(growth, tiny))), 0, 1000).astype("int32")
    z = a * jnp.exp2(-doublings.astype(growth.dtype)).astype(a.dtype)
    identity = jnp.broadcast_to(jnp.eye(n, dtype=a.dtype).reshape((n, n) + (1,) * (a.ndim - 2)), a.shape)
    coefficients = jnp.asarray([1 / factorial(k + 3) for k in range(DEGREE)], growth.dtype)

    def horner(i: Array, total: Array) -> Array:
        return times(total, z) + coefficients[DEGREE - 1 - i].astype(a.dtype) * identity

    three = lax.fori_loop(0, DEGREE, horner, identity * (1 / factorial(DEGREE + 3)))
    two = times(z, three) + identity / 2
    one = times(z, two) + identity
    exponential = times(z, one) + identity

    def double(i: Array, p: Phi) -> Phi:
        wanted = i < doublings
        return Phi(*(jnp.where(wanted, new, old) for new, old in zip(doubled(p, times), p, strict=True)))

    whole: Phi = lax.fori_loop(0, jnp.max(doublings), double, Phi(exponential, one, two, three))
    return whole


def _norm(a: Array) -> Array:
    return jnp.max(jnp.sum(jnp.abs(a), axis=0, keepdims=True), axis=1, keepdims=True)


def times(a: Array, b: Array) -> Array:
    """Matrix products [n, n, ...] · [n, n, ...] entry by entry over the batch."""
    return jnp.sum(a[:, :, None] * b[None], axis=1)
