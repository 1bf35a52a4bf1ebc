"""What operators between walls do to a wave: the symbols that steps and well-posedness are judged by.

Walls are left out: a wave exp(ikx) far from them is multiplied by the symbol, of the operator itself or of
the differences that stand for it on a grid.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from nablax.nonlocal_operators import SpectralLaplacian
from nablax.sampling import sample

Values = Mapping[sp.Basic, np.ndarray]


def symbol_of(
    node: sp.Expr, axes: Sequence[sp.Symbol], k: np.ndarray, spacing: Sequence[float] | None, values: Values
) -> np.ndarray:
    """The symbol at the wavenumbers k, of shape (axes, waves); with `spacing` that of the differences."""
    del axes, spacing
    assert isinstance(node, SpectralLaplacian)
    order = float(sample(node.args[1], values))
    return np.asarray(np.sum(k**2, axis=0) ** order)
