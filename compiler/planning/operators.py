"""What operators between walls do to a wave: the symbols that steps and well-posedness are judged by.

Walls are left out: a wave exp(ikx) far from them is multiplied by the symbol, of the operator itself or of
the differences that stand for it on a grid.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from nablax.nonlocal_operators import BoundedRiesz, IntegralLaplacian, SpectralLaplacian
from nablax.sampling import sample

Values = Mapping[sp.Basic, np.ndarray]


def symbol_of(
    node: sp.Expr, axes: Sequence[sp.Symbol], k: np.ndarray, spacing: Sequence[float] | None, values: Values
) -> np.ndarray:
    """The symbol at the wavenumbers k, of shape (axes, waves); with `spacing` that of the differences."""
    if isinstance(node, SpectralLaplacian):
        return np.asarray(np.sum(k**2, axis=0) ** _number(node.args[1], values))
    if isinstance(node, IntegralLaplacian):
        slopes = [_slope(k[a], spacing[a] if spacing else None) for a in range(len(axes))]
        return np.asarray(sum(s**2 for s in slopes) ** _number(node.args[1], values))
    axis = axes.index(node.args[1])
    order, h = _number(node.args[2], values), spacing[axis] if spacing else None
    if isinstance(node, BoundedRiesz):
        return np.asarray(-(_slope(k[axis], h) ** order))
    side, ceiling, _, rate = node.args[3:]
    exponent = _number(rate, values) + 1j * int(side) * k[axis]
    if not h:
        return np.asarray(exponent**order)
    # The weighted shifted Grünwald differences, see backends/differences/toeplitz.py.
    back, shift = np.exp(-exponent * h), int(ceiling) - 1
    first = order / 2 if ceiling == 2 else 1 + order / 2
    pair = first * back**-shift + (1 - first) * back ** (1 - shift)
    return np.asarray(pair * (1 - back) ** order / h**order)


def _number(expression: sp.Expr, values: Values) -> float:
    return float(sample(expression, values))


def _slope(k: np.ndarray, h: float | None) -> np.ndarray:
    """|k|, as a step of length h sees it."""
    return np.asarray(np.abs(2 * np.sin(k * h / 2) / h if h else k))
