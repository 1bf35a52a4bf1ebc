"""Sums of symbols times modes, in which None is a structural zero."""

from collections.abc import Sequence

import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand
from nablax.backends.spectral.matrices import Matrix, vanishes
from nablax.backends.spectral.structure import Symbols
from nablax.backends.spectral.symbols import Modes, apply


def values_of(symbols: Symbols, modes: Modes) -> Matrix:
    return tuple(tuple(modes.value(s) if not s.is_number else _number(s) for s in row) for row in symbols)


def _number(s: sp.Expr) -> Operand:
    value = complex(s)
    return value.real if value.imag == 0 else value


def plus(a: Array | None, b: Array | None) -> Array | None:
    if a is None or b is None:
        return a if b is None else b
    return a + b


def negative(a: Array | None) -> Array | None:
    return None if a is None else -a


def less(a: Array | None, b: Array | None) -> Array | None:
    return plus(a, negative(b))


def applied(symbol: Operand, y: Array | None) -> Array | None:
    return None if y is None or vanishes(symbol) else apply(symbol, y)


def combination(row: Sequence[Operand], y: Sequence[Array | None]) -> Array | None:
    """Σ row · y without the structural zeros."""
    total: Array | None = None
    for symbol, a in zip(row, y, strict=True):
        total = plus(total, applied(symbol, a))
    return total
