"""Integral terms of residuals: sums over points of their own, integrands being statements there.

Bounded axes have Gauss–Legendre points, whole periodic ones evenly spaced points (the trapezoidal rule, which
converges exponentially there). Convolutions have Gauss–Legendre points on either side of the offset zero,
where kernels may have a kink. The rules are fixed: what they miss is a bias that no drawing averages out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from numpy.polynomial.legendre import leggauss

from nablax.derivatives.statements import Statement
from nablax.integrals import INTEGRALS, Convolution, Running
from nablax.notation import text
from nablax.passes.jets import jets
from nablax.problem import Axis, Problem
from nablax.reductions import Integral

SHARE = sp.Dummy("share", real=True)
"""The share of the way from one end of an integral to the other."""
POINTS = {1: 32, 2: 12, 3: 8}
"""Points along every axis, by the number of axes that an integral is taken over."""


@dataclass(frozen=True, slots=True)
class Line:
    """One axis of an integral: ∫ = length Σ weights · integrand(coordinate), at `shares` in (0, 1).

    `coordinate`, `offset` (of a convolution) and `length` are written in coordinates, parameters and SHARE. A
    coordinate of a periodic axis may lie beyond its ends, and `name` is what stands for the offset.
    """

    axis: sp.Symbol
    coordinate: sp.Expr
    length: sp.Expr
    shares: tuple[float, ...]
    weights: tuple[float, ...]
    rule: str
    periodic: bool = False
    name: sp.Dummy | None = None
    offset: sp.Expr = sp.S.Zero


@dataclass(frozen=True, slots=True)
class IntegralTerm:
    """What stands for an integral: `integrand` at the points of all lines, `here` names the coordinate of the
    point at which the integral is taken. `constant` where it is the same number at all points."""

    stand_in: sp.Dummy
    integrand: Statement
    lines: tuple[Line, ...]
    here: tuple[tuple[sp.Dummy, sp.Symbol], ...]
    constant: bool


def take_integrals(
    problem: Problem, statements: Sequence[Statement], points: int | None
) -> tuple[tuple[Statement, ...], tuple[IntegralTerm, ...]]:
    """The statements with stand-ins for their outermost integrals, and these, of `points` along an axis."""
    nodes = sorted(
        {j for s in statements for v in s.values for j in jets(v) if isinstance(j, INTEGRALS)},
        key=sp.default_sort_key,
    )
    terms = {node: _term(problem, node, points, statements[0]) for node in nodes}
    names: dict[sp.Basic, sp.Expr] = {node: term.stand_in for node, term in terms.items()}
    kept = tuple(replace(s, values=tuple(v.xreplace(names) for v in s.values)) for s in statements)
    return kept, tuple(terms.values())


def _term(problem: Problem, node: sp.Basic, points: int | None, like: Statement) -> IntegralTerm:
    stand_in = sp.Dummy(text(node), real=node.is_real)
    by_symbol = {a.symbol: a for a in problem.axes}
    here: tuple[tuple[sp.Dummy, sp.Symbol], ...] = ()
    if isinstance(node, Integral):
        integrand, *symbols = node.args
        axes = [by_symbol[s] for s in symbols] or list(problem.axes)
        count = _count(points, len(axes))
        lines = [_whole(axis, count) for axis in axes]
    elif isinstance(node, Running):
        whole, inner, symbol, lower, upper = node.args
        place = sp.Dummy(f"{symbol} here", real=True)
        here = ((place, symbol),)
        integrand = whole.xreplace({symbol: place, inner: symbol})
        lines = [_gauss(by_symbol[symbol], lower, upper, _count(points, 1))]
    else:
        assert isinstance(node, Convolution)
        kernel, value, *symbols = node.args
        lines = [_offsets(by_symbol[s], _count(points, len(symbols))) for s in symbols]
        integrand = kernel.xreplace({line.axis: line.name for line in lines}) * value
    constant = isinstance(node, Integral) and {line.axis for line in lines} == set(problem.symbols)
    statement = Statement(str(stand_in.name), like.place, (integrand,), False, like.span)
    return IntegralTerm(stand_in, statement, tuple(lines), here, constant)


def _count(points: int | None, axes: int) -> int:
    return POINTS[axes] if points is None else points


def _whole(axis: Axis, count: int) -> Line:
    if not axis.periodic:
        return _gauss(axis, axis.lower, axis.upper, count)
    length = axis.upper - axis.lower
    shares = tuple(((np.arange(count) + 0.5) / count).tolist())
    rule = f"{count} evenly spaced points along {axis.name}"
    return Line(axis.symbol, axis.lower + length * SHARE, length, shares, (1 / count,) * count, rule)


def _gauss(axis: Axis, lower: sp.Expr, upper: sp.Expr, count: int) -> Line:
    places, weights = leggauss(count)
    length = upper - lower
    return Line(
        axis.symbol,
        lower + length * SHARE,
        length,
        tuple(((1 + places) / 2).tolist()),
        tuple((weights / 2).tolist()),
        f"{count} Gauss–Legendre points along {axis.name}",
    )


def _offsets(axis: Axis, count: int) -> Line:
    """Two halves, on either side of zero."""
    half = (count + 1) // 2
    places, weights = leggauss(half)
    shares = np.concatenate([(1 + places) / 4, (3 + places) / 4])
    length = axis.upper - axis.lower
    offset = length * (SHARE - sp.Rational(1, 2))
    return Line(
        axis.symbol,
        axis.symbol - offset,
        length,
        tuple(shares.tolist()),
        tuple(np.tile(weights / 4, 2).tolist()),
        f"{2 * half} Gauss–Legendre points along {axis.name}, half of them on either side",
        periodic=True,
        name=sp.Dummy(f"{axis.name} offset", real=True),
        offset=offset,
    )
