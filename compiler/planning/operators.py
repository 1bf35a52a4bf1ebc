"""What operators between walls do to a wave: the symbols that steps and well-posedness are judged by.

Walls are left out: a wave exp(ikx) far from them is multiplied by the symbol, of the operator itself or of
the differences that stand for it on a grid.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from nablax.nonlocal_operators import BoundedRiesz, IntegralLaplacian, SpectralLaplacian
from nablax.sampling import sample
from nablax.system import System

PLACES = 17  # along each axis
Values = Mapping[sp.Basic, np.ndarray]


def symbol_of(
    node: sp.Expr, system: System, k: np.ndarray, spacing: Sequence[float] | None, values: Values
) -> np.ndarray:
    """The symbol at the wavenumbers k, of shape (axes, waves); with `spacing` that of the differences."""
    axes = [a.symbol for a in system.axes]
    if isinstance(node, SpectralLaplacian):
        _, most = diffusivity_range(system, node)
        return np.asarray((most * np.sum(k**2, axis=0)) ** _number(node.args[1], values))
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


def diffusivity_range(system: System, node: sp.Expr) -> tuple[float, float]:
    """The least and the greatest diffusivity of a power of -div(a grad) on a few places of the box, walls
    included, with the parameters at their values; not a number where it has no value."""
    diffusivity = node.args[2]
    values = {p.symbol: np.asarray(float(p.value)) for p in system.parameters}
    ends = [(float(sample(a.lower, values)), float(sample(a.upper, values))) for a in system.axes]
    lines = [np.linspace(low, high, PLACES) for low, high in ends]
    grids = np.meshgrid(*lines, indexing="ij")
    known = values | {a.symbol: g for a, g in zip(system.axes, grids, strict=True)}
    found = np.broadcast_to(sample(diffusivity, known), grids[0].shape)
    real = np.where(np.isreal(found), np.real(found), np.nan)
    return float(real.min()), float(real.max())


def _number(expression: sp.Expr, values: Values) -> float:
    return float(sample(expression, values))


def _slope(k: np.ndarray, h: float | None) -> np.ndarray:
    """|k|, as a step of length h sees it."""
    return np.asarray(np.abs(2 * np.sin(k * h / 2) / h if h else k))
