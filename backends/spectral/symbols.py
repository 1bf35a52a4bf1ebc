"""Fourier symbols: from linear terms to expressions in the wavenumbers, from those to arrays over modes."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import sympy as sp
from jax import Array, lax

from nablax.backends.lowering import Environment, Operand, alike, evaluate
from nablax.backends.spectral.layout import Layout
from nablax.system import LinearTerm, Orders


def derivative_symbol(orders: Orders, wavenumbers: Sequence[sp.Symbol]) -> sp.Expr:
    """Π (i k_a)^orders."""
    return sp.Mul(*((sp.I * k) ** n for n, k in zip(orders, wavenumbers, strict=True)))


def term_symbol(term: LinearTerm, wavenumbers: Sequence[sp.Symbol]) -> sp.Expr:
    """The symbol of a linear term whose coefficient is constant in space and time."""
    return term.coefficient * derivative_symbol(term.orders, wavenumbers) * term.multiplier


@dataclass(frozen=True, slots=True)
class Modes:
    """Symbols evaluated on a layout, each distinct expression once.

    `wavenumbers` are the SymPy symbols and `values` theirs, `environment` the values of the parameters
    (and of time where a coefficient may hold it). `memo` lives as long as one trace.
    """

    layout: Layout
    wavenumbers: tuple[sp.Symbol, ...]
    values: tuple[Array, ...]
    environment: Environment
    memo: dict[sp.Expr, Operand]

    def value(self, symbol: sp.Expr) -> Operand:
        """A number, or an array that broadcasts to the layout's modes; real where the symbol is."""
        if symbol not in self.memo:
            regular, singular = _by_value_at_origin(symbol, self.wavenumbers)
            value: Operand = 0.0
            if regular != 0:
                value = self._without_nyquist_sign(regular, False, 0)
            if singular != 0:
                away = self._without_nyquist_sign(singular, True, 0)
                zero = jnp.zeros((), jnp.result_type(away))
                value = add(value, jnp.where(self.layout.is_origin(), zero, away))
            self.memo[symbol] = value
        return self.memo[symbol]

    def _without_nyquist_sign(self, symbol: sp.Expr, off_origin: bool, axis: int) -> Operand:
        # The mode n/2 stands for both signs of its wavenumber: it sees the even part of the symbol.
        if axis == len(self.wavenumbers):
            return self._evaluate(symbol, off_origin)
        value = self._without_nyquist_sign(symbol, off_origin, axis + 1)
        k = self.wavenumbers[axis]
        if self.layout.axes[axis].nyquist is None or k not in symbol.free_symbols:
            return value
        mirrored = symbol.xreplace({k: -k})
        if sp.expand(symbol - mirrored) == 0:
            return value
        even = self._without_nyquist_sign(sp.expand((symbol + mirrored) / 2), off_origin, axis + 1)
        a, b = alike(as_array(even, self.layout), as_array(value, self.layout))
        return jnp.where(self.layout.is_nyquist(axis), a, b)

    def _evaluate(self, symbol: sp.Expr, off_origin: bool) -> Operand:
        real, imaginary = real_and_imaginary(symbol)
        origin = self.layout.is_origin() if off_origin else None
        environment = dict(self.environment)
        for k, value in zip(self.wavenumbers, self.values, strict=True):
            if k in symbol.free_symbols:
                environment[k] = value if origin is None else jnp.where(origin, 1.0, value)
        a, b = evaluate((real, imaginary), environment)
        if imaginary == 0:
            return a
        return lax.complex(*jnp.broadcast_arrays(as_array(a, self.layout), as_array(b, self.layout)))


def real_and_imaginary(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Two real expressions; every symbol of the argument is real."""
    if not expression.has(sp.I):
        return expression, sp.S.Zero
    real, imaginary = [], []
    for term in sp.Add.make_args(sp.expand(expression)):
        rest, with_i = term.as_independent(sp.I, as_Add=False)
        if with_i == sp.I:
            imaginary.append(rest)
        elif with_i == 1:
            real.append(rest)
        else:
            a, b = with_i.as_real_imag()
            real.append(rest * a)
            imaginary.append(rest * b)
    return sp.Add(*real), sp.Add(*imaginary)


def _by_value_at_origin(symbol: sp.Expr, wavenumbers: Sequence[sp.Symbol]) -> tuple[sp.Expr, sp.Expr]:
    # A term without a value at k = 0 (an inverse Laplacian) is taken as zero there: zero mean.
    if symbol.is_polynomial(*wavenumbers):
        return symbol, sp.S.Zero
    zero = dict.fromkeys(wavenumbers, sp.S.Zero)
    regular: list[sp.Expr] = []
    singular: list[sp.Expr] = []
    for term in sp.Add.make_args(symbol):
        value = term if term.is_polynomial(*wavenumbers) else term.xreplace(zero)
        bad = value.has(sp.zoo, sp.nan, sp.oo, -sp.oo) or any(
            p.base == 0 and not p.exp.is_positive for p in value.atoms(sp.Pow)
        )
        (singular if bad else regular).append(term)
    return sp.Add(*regular), sp.Add(*singular)


def as_array(value: Operand, layout: Layout) -> Array:
    """A number as an array of one mode, of the layout's precision."""
    if isinstance(value, Array):
        return value
    precision = layout.complex_precision if isinstance(value, complex) else layout.precision
    return jnp.full((1,) * len(layout.axes), value, precision)


def add(a: Operand, b: Operand) -> Operand:
    """a + b where a number 0 adds nothing."""
    if not isinstance(a, Array) and a == 0:
        return b
    if not isinstance(b, Array) and b == 0:
        return a
    a, b = alike(a, b)
    return a + b


def multiply(a: Operand, b: Operand) -> Operand:
    """a · b where a number 0 annihilates and a number 1 is left out."""
    for p, q in ((a, b), (b, a)):
        if not isinstance(p, Array) and p in (0, 1):
            return q if p == 1 else 0.0
    a, b = alike(a, b)
    return a * b


def negative(a: Operand) -> Operand:
    return -a if isinstance(a, Array) or a != 0 else a


def apply(symbol: Operand, y: Array) -> Array:
    """symbol · y for an array of modes y; a real symbol stays real arithmetic."""
    if not isinstance(symbol, Array):
        return y if symbol == 1 else y * symbol
    if jnp.iscomplexobj(symbol):
        return symbol * y
    return lax.complex(symbol * y.real, symbol * y.imag)
