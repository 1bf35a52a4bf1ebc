"""Stencils: linear combinations of shifted slices, put together before anything is computed.

All constant-coefficient derivatives of one unknown in one equation become one stencil. Offsets with equal
weights are summed first and multiplied once: the five-point Laplacian costs four additions and two
products, as when written by hand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, alike
from nablax.plan import GridAxis
from nablax.stencils import centred, radius
from nablax.system import Orders

Offset = tuple[int, ...]
Weight = tuple[tuple[sp.Expr, complex], ...]
"""Σ number · expression; the expressions hold parameters and time at most, never a coordinate."""


@dataclass(frozen=True, slots=True)
class Stencil:
    """Offsets gathered under equal weights: Σ weight · Σ ±u[offset]."""

    groups: tuple[tuple[Weight, tuple[tuple[int, Offset], ...]], ...]

    @property
    def expressions(self) -> tuple[sp.Expr, ...]:
        return tuple(dict.fromkeys(e for weight, _ in self.groups for e, _ in weight))


def tensor(orders: Orders, accuracy: int, grid: Sequence[GridAxis]) -> dict[Offset, float]:
    """Weights by offset of a (mixed) derivative: products of one-dimensional centred stencils."""
    lines = []
    for order, axis in zip(orders, grid, strict=True):
        r = radius(order, accuracy)
        weights = centred(order, accuracy)
        lines.append([(j - r, w / axis.spacing**order) for j, w in enumerate(weights) if w != 0.0])
    result: dict[Offset, float] = {}
    for combination in product(*lines):
        value = 1.0
        for _, w in combination:
            value *= w
        result[tuple(j for j, _ in combination)] = value
    return result


def gather(parts: Sequence[tuple[sp.Expr, Orders]], accuracy: int, grid: Sequence[GridAxis]) -> Stencil:
    """One stencil for Σ coefficient · D^orders. Coefficients are free of coordinates."""
    weights: dict[Offset, dict[sp.Expr, complex]] = {}
    for coefficient, orders in parts:
        number, symbolic = coefficient.as_independent(sp.Symbol, as_Add=False)
        factor = complex(number.evalf(20))
        for offset, value in tensor(orders, accuracy, grid).items():
            at = weights.setdefault(offset, {})
            at[symbolic] = at.get(symbolic, 0.0) + factor * value
    groups: dict[Weight, list[tuple[int, Offset]]] = {}
    for offset, at in weights.items():
        items = tuple(
            sorted(((e, w) for e, w in at.items() if w != 0), key=lambda p: sp.default_sort_key(p[0]))
        )
        if not items:
            continue
        opposite = tuple((e, -w) for e, w in items)
        if opposite in groups:
            groups[opposite].append((-1, offset))
        else:
            groups.setdefault(items, []).append((1, offset))
    return Stencil(tuple((weight, tuple(members)) for weight, members in groups.items()))


def plain(value: complex) -> complex | float:
    """A float where the imaginary part is zero."""
    return value.real if value.imag == 0.0 else value


def times(a: Operand, b: Operand) -> Operand:
    """a · b; a real array beside something complex is made complex."""
    x, y = alike(a, b)
    return x * y


def plus(a: Operand, b: Operand) -> Operand:
    """a + b; a real array beside something complex is made complex."""
    x, y = alike(a, b)
    return x + y


def weighted(groups: Sequence[tuple[Operand, Sequence[tuple[int, Array]]]]) -> Operand:
    """Σ weight · Σ ±array; at least one group with one array."""
    total: Operand | None = None
    for weight, members in groups:
        # A positive array first: no negation where a subtraction will do.
        (sign, first), *others = sorted(members, key=lambda m: -m[0])
        inner: Operand = first if sign > 0 else -first
        for sign, array in others:
            inner = inner + array if sign > 0 else inner - array
        if isinstance(weight, Array) or weight != 1.0:
            inner = times(weight, inner)
        total = inner if total is None else plus(total, inner)
    assert total is not None
    return total


def apply(
    stencil: Stencil,
    scalars: Mapping[sp.Basic, Operand],
    at: Callable[[Offset], Array],
    lift: Callable[[Operand], Operand] = lambda a: a,
) -> Operand | None:
    """The stencil's value where `at(offset)` are the shifted arrays; None for the empty stencil.

    `scalars` maps the stencil's expressions to numbers or scalars. `lift` is linear and goes around sums
    of shifted arrays, before traced scalars join them.
    """
    if not stencil.groups:
        return None
    shifted = [[(sign, at(offset)) for sign, offset in members] for _, members in stencil.groups]
    weights = [weight for weight, _ in stencil.groups]
    expressions = stencil.expressions
    if len(expressions) == 1:
        # One coefficient throughout: w₀·c·(Σ₀ + w₁/w₀·Σ₁ + ...).
        leading = weights[0][0][1]
        ratios = [plain(weight[0][1] / leading) for weight in weights]
        scale = plain(leading)
        whole = scale if expressions[0] == 1 else times(scale, scalars[expressions[0]])
        summed = lift(weighted(list(zip(ratios, shifted, strict=True))))
        return summed if not isinstance(whole, Array) and whole == 1.0 else times(whole, summed)
    total: Operand | None = None
    for weight, members in zip(weights, shifted, strict=True):
        value: Operand = 0.0
        for expression, number in weight:
            part = plain(number) if expression == 1 else times(plain(number), scalars[expression])
            value = part if isinstance(value, float) and value == 0.0 else plus(value, part)
        term = times(value, lift(weighted([(1.0, members)])))
        total = term if total is None else plus(total, term)
    return total
