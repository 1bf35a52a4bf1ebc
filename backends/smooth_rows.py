"""Where five values in a row are smooth and where they jump, for reconstructions and averages over cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from jax import Array

THRESHOLD = 0.2  # of the squares of fourth differences over lower ones, above which they are those of a jump

Values = TypeVar("Values", np.ndarray, "Array")


def smoothness(row: Sequence[Values]) -> Values:
    """1 where five values in a row are smooth, 0 where they jump; in NumPy or JAX, real or complex."""
    a, b, c, d, e = row
    fourth, second, first = a - 4 * b + 6 * c - 4 * d + e, b - 2 * c + d, (d - b) / 2
    slopes = _squared(second) + _squared(first)
    small = 1e-16 if slopes.dtype == np.float32 else 1e-40
    found: Values = 1 / (1 + (_squared(fourth) / (slopes + small) / THRESHOLD) ** 2)
    return found


def _squared(values: Values) -> Values:
    found: Values = (values * values.conj()).real
    return found
