"""Characteristic speeds of a balance law, from its flux Jacobian.

Unknowns that influence each other form a block; blocks have speeds of their own. Within a block the
characteristic polynomial is factored: factors of degree one and two give their speeds exactly, larger
ones an interval around the mean of their roots that holds them all (Samuelson, J. Amer. Stat. Assoc. 63
(1968) 1522: m real numbers lie within sqrt(m - 1) standard deviations of their mean), which takes no
more than the trace of the Jacobian and of its square.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.sparse.csgraph import connected_components
from sympy.core.function import AppliedUndef

from nablax.passes.divergence import Law
from nablax.system import System

FACTORED = 5  # unknowns of a block up to which its polynomial is factored
OPERATIONS = 1500  # of a block's Jacobian, likewise


@dataclass(frozen=True, slots=True)
class Wave:
    """Speeds between centre - sqrt(square) and centre + sqrt(square)."""

    centre: sp.Expr
    square: sp.Expr


@dataclass(frozen=True, slots=True)
class Block:
    """Unknowns that share their waves; `waves[axis]`. `monotone`: speeds are linear in the members, so
    that those between two states lie between those of the states."""

    members: tuple[int, ...]
    waves: tuple[tuple[Wave, ...], ...]
    monotone: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class Characteristics:
    """`guards` keep their sign wherever a state makes sense: denominators, and what roots are taken of.

    `bounded` unknowns have a maximum principle with bounds that stay: a law of their own, without source, the
    same everywhere, and boundary data that do not change in time.

    `signed` unknowns keep the sign of their initial data where they have one: nothing moves them where they
    are zero, and neither a source nor a wall feeds them, as it is with densities and concentrations. Those
    of `guards` and `bounded` are left out.
    """

    blocks: tuple[Block, ...]
    guards: tuple[sp.Expr, ...]
    bounded: tuple[int, ...]
    signed: tuple[int, ...] = ()


def characteristics(system: System, law: Law) -> Characteristics:
    """Blocks with their waves, each unknown in exactly one."""
    values = [u.value for u in system.unknowns]
    names = {v: sp.Dummy(v.func.__name__, real=True) for v in values}
    back = {n: v for v, n in names.items()}
    states = list(names.values())
    jacobians = [sp.Matrix([f.xreplace(names) for f in row]).jacobian(states) for row in law.fluxes]
    linked = np.zeros((len(states), len(states)), dtype=bool)
    for jacobian in jacobians:
        linked |= np.array([[entry != 0 for entry in jacobian.row(i)] for i in range(len(states))])
    _, labels = connected_components(linked, directed=True, connection="strong")
    blocks = []
    for label in dict.fromkeys(labels.tolist()):
        members = tuple(int(i) for i in np.flatnonzero(labels == label))
        parts = [j.extract(list(members), list(members)) for j in jacobians]
        found = [_waves(p) for p in parts]
        waves = tuple(
            tuple(Wave(w.centre.xreplace(back), w.square.xreplace(back)) for w in each) for each, _ in found
        )
        own = [states[i] for i in members]
        linear = all(_linear(entry, own) for p in parts for entry in p) if len(members) == 1 else True
        blocks.append(Block(members, waves, linear, all(exact for _, exact in found)))
    guards = _guards(law, [w.square for b in blocks for each in b.waves for w in each])
    fixed = {*(a.symbol for a in system.axes), *states}
    assert system.time is not None, "a balance law has a time"
    driven = {b.unknown for b in system.boundary if b.data.has(system.time.symbol)}
    bounded = tuple(
        i
        for i, (state, source) in enumerate(zip(states, law.sources, strict=True))
        if source == 0
        and i not in driven
        and any(row[i] != 0 for row in law.fluxes)
        and not any(row[i].xreplace(names).free_symbols & (fixed - {state}) for row in law.fluxes)
    )
    fed = {b.unknown for b in system.boundary if b.data != 0}
    signed = tuple(
        i
        for i, value in enumerate(values)
        if i not in (*bounded, *fed) and value not in guards and _vanishes(law, i, names[value], names)
    )
    return Characteristics(tuple(blocks), guards, bounded, signed)


def _vanishes(law: Law, unknown: int, name: sp.Dummy, names: Mapping[sp.Basic, sp.Dummy]) -> bool:
    """Whether the fluxes of an unknown are multiples of it, and nothing of it diffuses or has a source."""
    own = [row[unknown] for row in law.fluxes]
    diffuses = any(row[unknown] != 0 for row in law.diffusion)
    if all(flux == 0 for flux in own) or diffuses or law.sources[unknown] != 0:
        return False
    return all(sp.simplify(value.xreplace(names).subs(name, 0)) == 0 for value in own)


def _linear(entry: sp.Expr, names: Sequence[sp.Dummy]) -> bool:
    return all(not sp.diff(entry, a).has(*names) for a in names)


def _waves(jacobian: sp.Matrix) -> tuple[tuple[Wave, ...], bool]:
    size = jacobian.shape[0]
    if size == 1:
        return (Wave(jacobian[0, 0], sp.S.Zero),), True
    small = size <= FACTORED and sum(e.count_ops() for e in jacobian) <= OPERATIONS
    if size == 2:
        return (_wave([sp.S.One, -jacobian.trace(), jacobian.det()]),), True
    if not small:
        trace, square = jacobian.trace(), sp.Add(*(jacobian[i, j] * jacobian[j, i]
                                                   for i in range(size) for j in range(size)))  # fmt: skip
        return (Wave(trace / size, (size - 1) * (square / size - (trace / size) ** 2)),), False
    polynomial = jacobian.applyfunc(sp.together).charpoly()
    speed = polynomial.gen
    _, factors = sp.factor_list(sp.numer(sp.together(polynomial.as_expr())))
    found = []
    exact = True
    for factor, _ in factors:
        if not factor.has(speed):
            continue
        coefficients = sp.Poly(factor, speed).all_coeffs()
        exact = exact and len(coefficients) <= 3
        found.append(_wave(coefficients))
    return tuple(found), exact


def _wave(coefficients: Sequence[sp.Expr]) -> Wave:
    """The roots of a polynomial, leading coefficient first: exact up to degree 2, enclosed beyond."""
    degree = len(coefficients) - 1
    first = coefficients[1] / coefficients[0]
    centre = _tidy(-first / degree)
    if degree == 1:
        return Wave(centre, sp.S.Zero)
    second = coefficients[2] / coefficients[0]
    variance = (first**2 - 2 * second) / degree - (first / degree) ** 2
    return Wave(centre, _tidy((degree - 1) * variance))


def _tidy(expression: sp.Expr) -> sp.Expr:
    return sp.factor(sp.together(expression))


def _guards(law: Law, squares: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
    found: dict[sp.Expr, None] = {}
    pointwise = (*(f for row in law.fluxes for f in row), *law.sources)
    for expression in pointwise:
        for power in expression.atoms(sp.Pow):
            if power.base.has(AppliedUndef) and (power.exp.is_negative or power.exp.is_integer is False):
                found[power.base] = None
        for logarithm in expression.atoms(sp.log):
            if logarithm.args[0].has(AppliedUndef):
                found[logarithm.args[0]] = None
    for square in squares:
        if square.has(AppliedUndef):
            found[square] = None
    return tuple(found)
