"""Integral terms of manufactured solutions, as functions of what is not integrated over.

Over whole axes, what depends on these alone is one pattern each: a polynomial in the patterns is integrated
power by power, and its integrals are numbers; anything else becomes the sum over the points of the rule, if
that is short. Along bounded axes stand Gauss–Legendre points, along periodic ones equidistant points: both
converge faster than any power for what is smooth.
"""

from collections.abc import Mapping
from functools import reduce
from itertools import product
from math import prod

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.integrals import Convolution, Running
from nablax.problem import Axis, Problem
from nablax.reductions import Integral
from nablax.sampling import sample

POINTS = 40
"""Along an axis."""
LONGEST = 64
"""Terms of a sum over points."""
ACCURACY = 1e-10
"""Of the mass of a kernel by the points of its rule."""


def at_solution(value: sp.Expr, exact: Mapping[AppliedUndef, sp.Expr]) -> sp.Expr:
    """The expression with the unknowns replaced, under running integrals at the letter integrated over."""
    known = {unknown.func: (unknown.args, e) for unknown, e in exact.items()}

    def running(node: Running) -> sp.Expr:
        integrand = node.args[0].replace(lambda n: isinstance(n, AppliedUndef) and n.func in known, elsewhere)
        return node.func(integrand, *node.args[1:])

    def elsewhere(unknown: AppliedUndef) -> sp.Expr:
        symbols, solution = known[unknown.func]
        return solution.xreplace(dict(zip(symbols, unknown.args, strict=True)))

    return value.replace(lambda n: isinstance(n, Running), running).xreplace(dict(exact))


def integrated(value: sp.Expr, problem: Problem) -> sp.Expr:
    """The expression with its integral terms, of functions of the coordinates, evaluated; one that would be
    too long a sum, or whose kernel is too narrow for one, stays."""
    value = value.replace(lambda n: isinstance(n, Integral), lambda n: _over_axes(n, problem))
    value = value.replace(lambda n: isinstance(n, Running), _running)
    return value.replace(lambda n: isinstance(n, Convolution), lambda n: _convolution(n, problem))


def _running(node: sp.Expr) -> sp.Expr:
    integrand, inner, _, lower, upper = node.args
    points, weights = _gauss(POINTS)
    terms = (
        float(w) * integrand.doit().xreplace({inner: lower + float(s) * (upper - lower)})
        for s, w in zip(points, weights, strict=True)
    )
    return (upper - lower) * sp.Add(*terms)


def _convolution(node: sp.Expr, problem: Problem) -> sp.Expr:
    """∫ kernel(z) field(x - z) dz over either half of a period, where kernels in |z| are smooth."""
    kernel, field, *symbols = node.args
    if len(symbols) > 1:
        return node
    (axis,) = (a for a in problem.axes if a.symbol in symbols)
    x = axis.symbol
    values = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    half = float(sample((axis.upper - axis.lower) / 2, values))

    def rule(count: int) -> tuple[np.ndarray, np.ndarray]:
        points, weights = _gauss(count)
        return half * np.concatenate([points - 1, points]), half * np.concatenate([weights, weights])

    def mass(count: int) -> float:
        places, weights = rule(count)
        return float(np.sum(weights * np.abs(sample(kernel, values | {x: places}))))

    if not abs(mass(POINTS // 2) - mass(4 * POINTS)) <= ACCURACY * mass(4 * POINTS):
        return node
    shifted = field.doit()
    return sp.Add(
        *(
            float(w) * kernel.xreplace({x: sp.Float(float(z))}) * shifted.xreplace({x: x - float(z)})
            for z, w in zip(*rule(POINTS // 2), strict=True)
        )
    )


def _over_axes(node: sp.Expr, problem: Problem) -> sp.Expr:
    integrand, *along = node.args
    axes = [a for a in problem.axes if not along or a.symbol in along]
    # Parameters in the ends of an axis are compiled in.
    ends = {s for a in problem.axes for s in (a.lower + a.upper).free_symbols}
    fixed = {p.symbol: sp.Float(float(p.value)) for p in problem.parameters if p.symbol in ends}
    symbols = {a.symbol for a in axes}
    patterns: dict[sp.Expr, sp.Symbol] = {}

    def parted(e: sp.Expr) -> sp.Expr:
        if not e.free_symbols & symbols:
            return e
        if e.free_symbols <= symbols:
            return patterns.setdefault(e, sp.Dummy(real=True))
        if isinstance(e, sp.Add | sp.Mul):
            mine = [a for a in e.args if a.free_symbols and a.free_symbols <= symbols]
            if len(mine) > 1:
                rest = [parted(a) for a in e.args if a not in mine]
                return e.func(parted(e.func(*mine)), *rest)
        return e.func(*(parted(a) for a in e.args))

    lines = [_rule(a, *(float(sample(end.xreplace(fixed), {})) for end in (a.lower, a.upper))) for a in axes]
    grids = np.meshgrid(*(points for points, _ in lines), indexing="ij")
    weights = reduce(np.multiply.outer, (w for _, w in lines))
    places = dict(zip((a.symbol for a in axes), grids, strict=True))
    separated = parted(integrand.doit().xreplace(fixed))
    found = {dummy: np.broadcast_to(sample(e, places), np.shape(weights)) for e, dummy in patterns.items()}
    volume = sp.Mul(*(a.upper - a.lower for a in axes))
    if separated.is_polynomial(*found):
        terms = sp.Poly(separated, *found).terms() if found else [((), separated)]
        return volume * sp.Add(
            *(c * _number(weights * prod(v**k for v, k in zip(found.values(), powers, strict=True)))
              for powers, c in terms)
        )  # fmt: skip
    if np.size(weights) > LONGEST:
        return node
    return volume * sp.Add(
        *(
            _number(weights[i]) * separated.xreplace({d: _number(v[i]) for d, v in found.items()})
            for i in product(*map(range, np.shape(weights)))
        )
    )


def _number(values: np.ndarray) -> sp.Expr:
    total = np.sum(values)
    return sp.Float(float(np.real(total))) + (sp.I * float(np.imag(total)) if np.imag(total) else 0)


def _rule(axis: Axis, lower: float, upper: float) -> tuple[np.ndarray, np.ndarray]:
    """Points, and weights of sum 1."""
    if axis.periodic:
        nodes, weights = np.arange(POINTS) / POINTS, np.full(POINTS, 1 / POINTS)
    else:
        nodes, weights = _gauss(POINTS)
    return lower + (upper - lower) * nodes, weights


def _gauss(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss–Legendre points in [0, 1], and weights of sum 1."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (1 + points) / 2, weights / 2
