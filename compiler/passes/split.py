"""Linear, nonlinear, forcing: the split of a right-hand side, by proof.

A term is linear when its second variation vanishes: its derivative with respect to every jet is free of
jets, and the jets times those derivatives give the term back.
"""

from collections.abc import Iterable, Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Between, Fourier, fourier_symbol
from nablax.passes.jets import base, factors, is_jet, jets, orders_of
from nablax.problem import Summand
from nablax.system import FluxTerm, LinearTerm, Orders, Terms


def linear_part(term: sp.Expr) -> dict[sp.Basic, sp.Expr] | None:
    """Jet to coefficient if the term is linear and homogeneous in the unknowns, else None.

    Terms with integrals have no such form, linear or not: schemes take them with the nonlinear ones.
    """
    plain, moving = factors(term)
    powers = [f.as_base_exp() for f in sp.Mul.make_args(moving)]
    if all(is_jet(b) and n.is_Integer and n > 0 for b, n in powers):
        # A monomial: its degree decides.
        alone = sum(n for _, n in powers) == 1 and not isinstance(moving, INTEGRALS)
        return {moving: plain} if alone else None
    found = sorted(jets(term), key=sp.default_sort_key)
    if any(isinstance(j, INTEGRALS) for j in found):
        return None
    stand_ins = {jet: sp.Dummy(complex=True) for jet in found}
    frozen = term.xreplace(stand_ins)
    names = frozenset(stand_ins.values())
    if any(n.free_symbols & names for n in frozen.atoms(sp.conjugate, sp.Abs, sp.re, sp.im, sp.arg, sp.sign)):
        return None
    slopes = {jet: sp.diff(frozen, name) for jet, name in stand_ins.items()}
    if any(slope.free_symbols & names for slope in slopes.values()):
        return None
    rest = frozen - sp.Add(*(slope * stand_ins[jet] for jet, slope in slopes.items()))
    return slopes if sp.expand(rest).is_zero else None


def gather(summands: Iterable[Summand]) -> dict[sp.Expr, Summand]:
    """Like terms added up: product of jets to its term, at the place where it stands first.

    Terms that cancel are gone; what cancels only in part keeps the first place.
    """
    total: dict[sp.Expr, sp.Expr] = {}
    places: dict[sp.Expr, Span] = {}
    for summand in summands:
        for term in sp.Add.make_args(summand.value):
            plain, moving = factors(term)
            total[moving] = total.get(moving, sp.S.Zero) + plain
            places.setdefault(moving, summand.span)
    return {
        moving: Summand(coefficient * moving, places[moving])
        for moving, coefficient in total.items()
        if sp.expand(coefficient) != 0
    }


def split(
    summands: Iterable[Summand], index: Mapping[AppliedUndef, int], space: tuple[sp.Symbol, ...],
    wavenumbers: tuple[sp.Symbol, ...],
) -> Terms:  # fmt: skip
    """The terms of an expanded right-hand side by kind; `conservative` repeats `nonlinear` for now."""
    linear: dict[tuple[int, Orders, sp.Expr, sp.Basic | None], LinearTerm] = {}
    nonlinear: dict[Span, list[sp.Expr]] = {}
    forcing: dict[Span, list[sp.Expr]] = {}
    symbols = dict(zip(space, wavenumbers, strict=True))
    for summand in gather(summands).values():
        if not jets(summand.value):
            forcing.setdefault(summand.span, []).append(summand.value)
            continue
        parts = linear_part(summand.value)
        if parts is None:
            nonlinear.setdefault(summand.span, []).append(summand.value)
            continue
        for jet, coefficient in parts.items():
            multiplier = fourier_symbol(jet, symbols) if isinstance(jet, Fourier) else sp.S.One
            operator = jet if isinstance(jet, Between) else None
            key = (index[base(jet)], orders_of(jet, space), multiplier, operator)
            if key in linear:
                coefficient = linear[key].coefficient + coefficient
            span = linear[key].span if key in linear else summand.span
            linear[key] = LinearTerm(coefficient, *key[:3], span, operator)
    zero: Orders = (0,) * len(space)
    flux = tuple(FluxTerm(sp.S.One, zero, sp.Add(*values), span) for span, values in nonlinear.items())
    return Terms(
        tuple(term for term in linear.values() if sp.expand(term.coefficient) != 0),
        flux,
        flux,
        tuple(FluxTerm(sp.S.One, zero, sp.Add(*values), span) for span, values in forcing.items()),
    )
