"""Jacobi polynomials on an interval or in a ball, with what the integral fractional Laplacian makes of them.

(-Δ)^s (1 - ξ²)^s P_n = Γ(2s + n + 1)/n! P_n on (-1, 1), zero outside, P_n the Jacobi polynomials with both
parameters s (B. Dyda, A. Kuznetsov, M. Kwaśnicki, Constr. Approx. 45 (2017) 427, theorem 3). Of the distance
ρ from the centre of the unit ball of d dimensions, by the same theorem, (-Δ)^s (1 - ρ²)^s P_n(2ρ² - 1) =
4^s Γ(s + n + 1) Γ(d/2 + s + n) / (n! Γ(d/2 + n)) P_n(2ρ² - 1), with the parameters s and d/2 - 1.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import gammaln

GATHERED = 4  # the power of the distance from the edge by which quadrature nodes gather there


@dataclass(frozen=True, slots=True)
class Line:
    """The interval from -1 to 1, whose points are the arguments of the polynomials."""

    def along(self, points: np.ndarray) -> np.ndarray:
        """Distances from the lower end, in units of half the length."""
        return 1 + points

    def places(self, count: int) -> np.ndarray:
        """Arguments at equally spaced nodes."""
        return np.linspace(-1, 1, count)

    def edges(self, points: np.ndarray) -> np.ndarray:
        """What is taken to the power s."""
        return np.asarray(1 - points**2)

    def second(self, s: Array) -> Array:
        """The second parameter of the polynomials."""
        return s

    def logarithms(self, s: Array, n: Array) -> Array:
        """Of the eigenvalues."""
        return gammaln(2 * s + n + 1) - gammaln(n + 1)

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Arguments, what is taken to the power s there, and weights of a rule for means over the interval,
        for integrands with powers of the distances from the edges."""
        inward, weights = _gathered(count // 2)
        places = np.concatenate([inward - 1, (1 - inward)[::-1]])
        edges = inward * (2 - inward)
        return places, np.concatenate([edges, edges[::-1]]), np.concatenate([weights, weights[::-1]]) / 2


@dataclass(frozen=True, slots=True)
class Ball:
    """The radius from 0 to 1 in a ball of so many dimensions: the polynomials' argument is 2ρ² - 1."""

    dimension: int

    def along(self, points: np.ndarray) -> np.ndarray:
        return np.sqrt((1 + points) / 2)

    def places(self, count: int) -> np.ndarray:
        return np.asarray(2 * np.linspace(0, 1, count) ** 2 - 1)

    def edges(self, points: np.ndarray) -> np.ndarray:
        return np.asarray((1 - points) / 2)

    def second(self, s: Array) -> Array:
        return jnp.full_like(s, self.dimension / 2 - 1)

    def logarithms(self, s: Array, n: Array) -> Array:
        half = self.dimension / 2
        rising = gammaln(s + n + 1) - gammaln(n + 1) + gammaln(half + s + n) - gammaln(half + n)
        return rising + 2 * s * float(np.log(2))

    def nodes(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inward, weights = _gathered(count)
        edges = inward * (2 - inward)
        return 1 - 2 * edges, edges, self.dimension * weights * (1 - inward) ** (self.dimension - 1)


Shape = Line | Ball


def _gathered(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances from an edge in (0, 1), and weights, of Gauss and Legendre's rule in their fourth root."""
    root, weights = np.polynomial.legendre.leggauss(count)
    root = (1 + root) / 2
    return root**GATHERED, weights / 2 * GATHERED * root ** (GATHERED - 1)


def shape_of(dimension: int) -> Shape:
    """An interval, a disc or a ball."""
    return Ball(dimension) if dimension > 1 else Line()


def edged(factor: np.ndarray, s: Array) -> Array:
    """factor^s, 0 where the factor is, with derivatives in s."""
    inside = jnp.asarray(np.where(factor > 0, factor, 1.0), s.dtype) ** s
    return jnp.where(jnp.asarray(factor > 0), inside, 0)


def jacobi(a: Array, b: Array, at: Array, count: int) -> Array:
    """P_n^(a,b) at points: [points, count] (NIST DLMF 18.9.2)."""

    def following(pair: tuple[Array, Array], n: Array) -> tuple[tuple[Array, Array], Array]:
        before, here = pair
        total = 2 * n + a + b
        scale = 2 * n * (n + a + b) * (total - 2)
        up = (total - 1) * (total * (total - 2) * at + (a - b) * (a + b))
        down = 2 * (n + a - 1) * (n + b - 1) * total
        new = (up * here - down * before) / scale
        return (here, new), new

    first, second = jnp.ones_like(at), (a + 1) + (a + b + 2) * (at - 1) / 2
    _, rest = lax.scan(following, (first, second), jnp.arange(2, count, dtype=at.dtype))
    return jnp.concatenate([jnp.stack([first, second]), rest]).T
