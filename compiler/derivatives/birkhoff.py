"""Rules for ∫_0^1 τ^e h(τ) dτ that read h and its antiderivatives at few nodes.

Where h is a derivative of a field, the derivatives below it are antiderivatives of h and come with it, so
that three nodes give nine numbers (the data of G. D. Birkhoff, Trans. Amer. Math. Soc. 7 (1906) 107).
Differences of lower derivatives cancel, so rules are not exact to the highest degree but best for an error
that has two parts: what they miss of fields as rough as sin(ROUGH τ) along a whole axis, and what they
magnify of rounding. Nodes minimise it for lines as long as the axis; on them every length, a share of the
axis, has weights of its own, as over a short way less is missed and more is magnified. Weights are linear in
the moments of τ^e.
"""

from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import legvander
from scipy.optimize import least_squares
from scipy.special import roots_jacobi, spherical_jn

from nablax.derivatives.quadrature import moments

ROUGH = 4.0
ROUNDING = (2.0**-23, 2.0**-20, 2.0**-18)
"""Of h and of its antiderivatives over the axis, relative to h, in single precision."""
LEVELS = 10  # halvings of the axis with weights of their own; below, only h is read
DEGREES = 16  # of Legendre polynomials that errors are measured on
EXACT = 1e3  # how much more than on them, on the constants of integration


@lru_cache(maxsize=64)
def nodes(count: int, exponent: float, below: int) -> tuple[float, ...]:
    """The best nodes in (0, 1) for h and `below` antiderivatives, ascending."""
    wanted = _wanted(exponent, below)

    def error(shares: np.ndarray) -> np.ndarray:
        matrix, scales = _conditions(shares, below, 0)
        target = np.zeros(len(matrix))
        target[: len(wanted)] = scales * wanted
        left: np.ndarray = matrix @ np.linalg.lstsq(matrix, target, rcond=None)[0] - target
        return left / ROUNDING[0]

    start = (1 + roots_jacobi(count, 0, exponent)[0]) / 2
    found = least_squares(error, start, bounds=(0, 1), ftol=1e-3, xtol=1e-4)
    return tuple(np.sort(found.x).tolist())


@lru_cache(maxsize=64)
def from_moments(places: tuple[float, ...], below: int) -> np.ndarray:
    """The matrices [levels + 1, below + 1, nodes, moments] that take modified moments to the weights of h and
    of each antiderivative, for lines of a length in (2^-k-1, 2^-k] of the axis; the last for all shorter."""
    shares = np.asarray(places)
    found = np.zeros((LEVELS + 1, below + 1, len(places), DEGREES))
    for level in range(LEVELS + 1):
        read = below if level < LEVELS else 0
        matrix, scales = _conditions(shares, read, level)
        given = np.zeros((len(matrix), len(scales)))
        given[: len(scales)] = np.diag(scales)
        solved = np.linalg.lstsq(matrix, given, rcond=None)[0][:, read:]
        found[level, : read + 1] = solved.reshape(read + 1, len(places), DEGREES)
    return found


def weights(places: tuple[float, ...], below: int, exponent: float) -> np.ndarray:
    """The weights [levels + 1, below + 1, nodes] for one exponent."""
    found: np.ndarray = from_moments(places, below) @ np.asarray(moments(DEGREES, exponent))
    return found


def _wanted(exponent: float, below: int) -> np.ndarray:
    return np.concatenate([np.zeros(below), moments(DEGREES, exponent)])


def _conditions(shares: np.ndarray, below: int, level: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix [below + degrees + data, data] whose least squares are the weights, and the scales
    [below + degrees] of what is wanted: of the constants of integration, of Legendre polynomials; then the
    rounding of each number read."""
    values = legvander(2 * shares - 1, DEGREES + below)
    once = np.zeros((DEGREES + below + 1, DEGREES + below + 1))  # ∫ P_k dτ = (P_k+1 - P_k-1) / (4k + 2)
    for k in range(DEGREES + below):
        once[k + 1, k] = 1 / (4 * k + 2)
        if k:
            once[k - 1, k] = -1 / (4 * k + 2)
    integrals = [values]
    for _ in range(below):
        integrals.append(integrals[-1] @ once)
    zero = np.zeros(len(shares))
    rows = [
        np.concatenate([zero if i < c else integrals[i - c][:, 0] for i in range(below + 1)])
        for c in range(below, 0, -1)
    ]
    rows += [np.concatenate([v[:, k] for v in integrals]) for k in range(DEGREES)]
    degrees = np.arange(DEGREES)
    rough = ROUGH / 2**level
    scales = np.concatenate(
        [np.full(below, EXACT), (2 * degrees + 1) * np.abs(spherical_jn(degrees, rough / 2))]
    )
    magnified = [ROUNDING[i] * 2.0 ** (i * level) for i in range(below + 1)]
    rounding = np.diag(np.repeat(magnified, len(shares)))
    return np.vstack([scales[:, None] * np.asarray(rows), rounding]), scales
