"""Finite-difference weights on a uniform grid and the symbols of centred stencils. NumPy only.

Source of the weights: B. Fornberg, "Calculation of weights in finite difference formulas",
SIAM Review 40 (1998) 685-691.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Weights = NDArray[np.float64]


def fornberg(nodes: ArrayLike, at: float, order: int) -> Weights:
    """Weights `w[m, j]` with Σ_j w[m, j]·f(nodes[j]) = f^(m)(at) for every polynomial through the nodes.

    Returns shape (order + 1, nodes): all derivatives up to `order`. Raises ValueError when there are
    too few nodes for the order.
    """
    x = np.asarray(nodes, dtype=np.float64)
    count = len(x)
    if count <= order:
        raise ValueError(f"a derivative of order {order} needs {order + 1} nodes, not {count}")
    weights = np.zeros((order + 1, count))
    weights[0, 0] = 1.0
    span, offset = 1.0, x[0] - at
    for n in range(1, count):
        highest = min(n, order)
        product, previous, offset = 1.0, offset, x[n] - at
        before = weights[:, n - 1].copy()
        for j in range(n):
            gap = x[n] - x[j]
            product *= gap
            for m in range(highest, -1, -1):
                lower = m * weights[m - 1, j] if m > 0 else 0.0
                weights[m, j] = (offset * weights[m, j] - lower) / gap
        for m in range(highest, -1, -1):
            lower = m * before[m - 1] if m > 0 else 0.0
            weights[m, n] = span / product * (lower - previous * before[m])
        span = product
    return weights


def radius(order: int, accuracy: int) -> int:
    """Points on either side that the centred stencil of a derivative reads; 0 for order 0."""
    return 0 if order == 0 else (order + 1) // 2 + accuracy // 2 - 1


@cache
def centred(order: int, accuracy: int) -> tuple[float, ...]:
    """Weights for unit spacing at the offsets -r..r, r = radius(order, accuracy).

    `accuracy` is even: the truncation error is O(h^accuracy). Odd orders get exactly antisymmetric
    weights and even orders exactly symmetric ones, so that no drift or damping comes from rounding.
    """
    if accuracy < 2 or accuracy % 2:
        raise ValueError(f"centred stencils have an even order of accuracy of at least 2, not {accuracy}")
    if order == 0:
        return (1.0,)
    r = radius(order, accuracy)
    weights = fornberg(np.arange(-r, r + 1), 0.0, order)[order]
    mirrored = weights[::-1] if order % 2 == 0 else -weights[::-1]
    weights = (weights + mirrored) / 2
    return tuple(float(w) for w in weights)


def centred_symbol(order: int, accuracy: int, theta: ArrayLike) -> NDArray[np.complex128]:
    """Σ_j w_j·exp(i·j·θ): what the centred stencil multiplies exp(iθj) by, for unit spacing.

    Divide by h^order for spacing h. Near θ = 0 it is (iθ)^order; the modified wavenumber is its
    order-th root over i. Even orders are real, odd orders imaginary. Shape of `theta`.
    """
    angle = np.asarray(theta, dtype=np.float64)
    offsets = np.arange(-radius(order, accuracy), radius(order, accuracy) + 1)
    phases = np.exp(1j * angle[..., None] * offsets)
    symbol = phases @ np.asarray(centred(order, accuracy))
    return np.asarray(symbol.real + 0j if order % 2 == 0 else 1j * symbol.imag)


def centred_extreme(order: int, accuracy: int) -> float:
    """The largest |symbol| over all θ for unit spacing: what bounds an explicit step.

    Even orders reach it at θ = π (4 for the second derivative of accuracy 2), odd orders inside (0, π)
    (1 for the first derivative of accuracy 2).
    """
    theta = np.linspace(0.0, np.pi, 4097)
    return float(np.max(np.abs(centred_symbol(order, accuracy, theta))))
