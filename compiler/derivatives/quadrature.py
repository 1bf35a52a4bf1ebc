"""Rules for ∫_0^1 τ^e f(τ) dτ, e > -1: nodes once, weights for any exponent.

At the Gauss–Jacobi nodes of an exponent the weights for that exponent are Gauss's own, exact to degree
2n - 1; for every other exponent they are the interpolatory ones, exact to degree n - 1, and smooth in the
exponent. They come from modified moments (W. Gautschi, Math. Comp. 24 (1970) 245) in shifted Legendre
polynomials, ∫_0^1 τ^e P_k(2τ - 1) dτ = Π_{i<k} (e - i) / Π_{i≤k} (e + 1 + i).
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import legvander
from scipy.special import roots_jacobi


@dataclass(frozen=True, slots=True)
class Nodes:
    """Shares τ = 1 - (1 - σ)^grade at places σ of a rule: a grade above 1 gathers them at τ = 1 too, where f
    may then have a power of 1 - τ in it."""

    places: tuple[float, ...]
    grade: int = 1

    @property
    def shares(self) -> np.ndarray:
        """τ [nodes]."""
        found: np.ndarray = 1 - (1 - np.asarray(self.places)) ** self.grade
        return found

    @property
    def stretch(self) -> tuple[np.ndarray, np.ndarray]:
        """τ/σ and dτ/dσ [nodes]: a weight for σ^e is multiplied by the first to the e, and by the second."""
        places = np.asarray(self.places)
        slope = self.grade * (1 - places) ** (self.grade - 1)
        share = np.divide(self.shares, places, out=np.full_like(places, self.grade), where=places > 0)
        return share, slope


def nodes(count: int, exponent: float) -> tuple[float, ...]:
    """The Gauss–Jacobi nodes in (0, 1), ascending."""
    return tuple(((1 + roots_jacobi(count, 0, exponent)[0]) / 2).tolist())


def with_end(count: int, exponent: float) -> tuple[float, ...]:
    """Nodes for all exponents around one: 0 is among them, where weights gather as an exponent nears -1."""
    return (0.0, *nodes(count - 1, exponent + 0.7))


def from_moments(places: tuple[float, ...]) -> np.ndarray:
    """The matrix [nodes, moments] that takes modified moments to weights."""
    values = legvander(2 * np.asarray(places) - 1, len(places) - 1)
    inverse: np.ndarray = np.linalg.inv(values.T)
    return inverse


def moments(count: int, exponent: float) -> np.ndarray:
    """The first modified moments [count]."""
    found = [1 / (exponent + 1)]
    for k in range(1, count):
        found.append(found[-1] * (exponent + 1 - k) / (exponent + 1 + k))
    return np.asarray(found)


def weights(rule: Nodes, exponent: float) -> np.ndarray:
    """The weights [nodes] for one exponent."""
    share, slope = rule.stretch
    found: np.ndarray = from_moments(rule.places) @ moments(len(rule.places), exponent)
    found = found * share**exponent * slope
    return found
