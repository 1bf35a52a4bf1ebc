"""Rules for ∫_0^1 τ^e f(τ) dτ, e > -1: nodes once, weights for any exponent.

At the Gauss–Jacobi nodes of an exponent the weights for that exponent are Gauss's own, exact to degree
2n - 1; for every other exponent they are the interpolatory ones, exact to degree n - 1, and smooth in the
exponent. They come from modified moments (W. Gautschi, Math. Comp. 24 (1970) 245) in shifted Legendre
polynomials, ∫_0^1 τ^e P_k(2τ - 1) dτ = Π_{i<k} (e - i) / Π_{i≤k} (e + 1 + i).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from scipy.special import roots_jacobi

FINE, GRADE = 400, 10  # nodes of a rule that stands for an integral, gathered at 0

if TYPE_CHECKING:
    from jax import Array

Number = TypeVar("Number", float, "Array", "float | Array")


@dataclass(frozen=True, slots=True)
class Nodes:
    """Shares τ = 1 - (1 - σ)^grade at places σ of a rule: a grade above 1 gathers them at τ = 1 too, where f
    may then have a power of 1 - τ in it. With `near` they are τ = σ^grade, for powers of τ. Where `below` is
    not 0, so many antiderivatives of f are read too: see `nablax.derivatives.birkhoff`."""

    places: tuple[float, ...]
    grade: int = 1
    near: bool = False
    below: int = 0

    @property
    def shares(self) -> np.ndarray:
        """τ [nodes]."""
        places = np.asarray(self.places)
        found: np.ndarray = places**self.grade if self.near else 1 - (1 - places) ** self.grade
        return found

    @property
    def rest(self) -> np.ndarray:
        """1 - τ [nodes], exact where it is small."""
        places = np.asarray(self.places)
        found: np.ndarray = (
            -np.expm1(self.grade * np.log(places)) if self.near else (1 - places) ** self.grade
        )
        return found

    @property
    def stretch(self) -> tuple[np.ndarray, np.ndarray]:
        """τ/σ and dτ/dσ [nodes]: a weight for σ^e is multiplied by the first to the e, and by the second."""
        places = np.asarray(self.places)
        slope = self.grade * (places if self.near else 1 - places) ** (self.grade - 1)
        share = np.divide(self.shares, places, out=np.full_like(places, self.grade), where=places > 0)
        return share, slope


def nodes(count: int, exponent: float) -> tuple[float, ...]:
    """The Gauss–Jacobi nodes in (0, 1), ascending."""
    return tuple(((1 + roots_jacobi(count, 0, exponent)[0]) / 2).tolist())


@lru_cache(maxsize=64)
def near_nodes(count: int, order: float) -> tuple[float, ...]:
    """Gauss's nodes in (0, 1) for the weight k(σ) = (1 - σ^e)/e + (σ - σ^e)/α, e = 1 - α, 0 < α < 2, which is
    positive, integrable, and smooth but for σ^e.

    By the Stieltjes procedure on a fine rule (W. Gautschi, SIAM J. Sci. Stat. Comput. 3 (1982) 289).
    """
    places, shares = leggauss(FINE)
    places = ((1 + places) / 2) ** GRADE
    shares = shares / 2 * GRADE * places ** (1 - 1 / GRADE)
    e = 1 - order
    first = -np.log(places) if abs(e) < 1e-9 else -np.expm1(e * np.log(places)) / e
    measure = shares * (first + (places - places**e) / order)
    centres, norms = np.zeros(count), np.zeros(count)
    before, here, last = np.zeros_like(places), np.ones_like(places), 1.0
    for k in range(count):
        norm = float(measure @ here**2)
        centres[k] = measure @ (places * here**2) / norm
        norms[k] = norm / last
        before, here, last = here, (places - centres[k]) * here - (norms[k] if k else 0) * before, norm
    side = np.sqrt(norms[1:])
    found = np.linalg.eigvalsh(np.diag(centres) + np.diag(side, 1) + np.diag(side, -1))
    return tuple(found.tolist())


def near_moments(count: int, order: Number) -> list[Number]:
    """∫_0^1 k(σ) P_j(2σ - 1) dσ, j = 0 .. count-1, for the weight of `near_nodes`, the division by e carried
    out. For numbers and for arrays alike."""
    e = 1 - order
    power = 1 / (1 + e)  # ∫ σ^e P_j, without its factor e from j = 1 on
    found = [power + (0.5 - power) / order]
    for j in range(1, count):
        power = power / (1 + e + j) if j == 1 else power * (e - j + 1) / (1 + e + j)
        found.append(((1 / 6 if j == 1 else 0.0) - e * power) / order - power)
    return found


def with_end(count: int, exponent: float) -> tuple[float, ...]:
    """Nodes for all exponents around one: 0 is among them, where weights gather as an exponent nears -1."""
    return (0.0, *nodes(count - 1, exponent + 0.7))


def from_moments(places: tuple[float, ...]) -> np.ndarray:
    """The matrix [nodes, moments] that takes modified moments to weights."""
    values = legvander(2 * np.asarray(places) - 1, len(places) - 1)
    inverse: np.ndarray = np.linalg.inv(values.T)
    return inverse


def moments(count: int, exponent: Number) -> list[Number]:
    """The first modified moments, for numbers and for arrays alike."""
    found = [1 / (exponent + 1)]
    for k in range(1, count):
        found.append(found[-1] * (exponent + 1 - k) / (exponent + 1 + k))
    return found


def weights(rule: Nodes, exponent: float) -> np.ndarray:
    """The weights [nodes] for one exponent."""
    share, slope = rule.stretch
    found: np.ndarray = from_moments(rule.places) @ np.asarray(moments(len(rule.places), exponent))
    found = found * share**exponent * slope
    return found
