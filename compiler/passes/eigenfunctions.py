"""Which systems the eigenfunctions of the integral fractional Laplacian take, on an interval or in a ball."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.centre import centre_of
from nablax.frontend.source import Span
from nablax.nonlocal_operators import BOX, Between, IntegralLaplacian, Outside
from nablax.passes.interval import dimension_of
from nablax.passes.jets import jets
from nablax.reductions import Noise
from nablax.sampling import sample
from nablax.system import Evolution, LinearTerm, System, root_of

SAME = 1e-9  # how near a wall's value and the field outside are, where they are one


@dataclass(frozen=True, slots=True)
class Space:
    """The eigenfunctions of (-Δ)^order in means weighted by 1/|diffusivity|, and the field outside.

    Fields of one space have one representation. `diffusivity` is 1 where the operator's coefficient is the
    same everywhere; a function of the place else.
    """

    order: sp.Expr
    diffusivity: sp.Expr


@dataclass(frozen=True, slots=True)
class Product:
    """coefficient · (-Δ)^order, or without `fractional` coefficient, times an unknown in an equation.

    The coefficient is a number or an expression of parameters; of an operator whose coefficient varies, its
    sign is that of the diffusivity of the equation's space.
    """

    row: int
    unknown: int
    coefficient: sp.Expr
    fractional: bool


@dataclass(frozen=True, slots=True)
class Expansion:
    """Indices speak of `system.unknowns`; rows follow the evolution equations in the order of their unknowns.

    `spaces` and `outside` have an entry for every unknown: the outside of a rate is that of its field,
    differentiated. `linear` acts on what is zero outside. `rest` holds, for every row, all other terms at a
    place: fields with their outside continued into the domain, which is `reached` there.
    """

    dimension: int
    rows: tuple[int, ...]
    spaces: tuple[Space, ...]
    outside: tuple[sp.Expr, ...]
    reached: tuple[sp.Symbol, ...]
    linear: tuple[Product, ...]
    rest: tuple[sp.Expr, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a system from an expansion in eigenfunctions, and where it stands."""

    what: str
    span: Span


def has_centred_operator(system: System) -> bool:
    """Whether an integral fractional Laplacian acts on functions of the radius of a disc or a ball."""
    if len(system.axes) != 1 or centre_of(system.problem) is None:
        return False
    return any(
        isinstance(t.operator, IntegralLaplacian) for terms in system.right_sides for t in terms.linear
    )


def expansion_of(system: System) -> Expansion | Obstacle:
    """The expansion of a system whose equations are all in `system.evolution` (`determination.relaxed`)."""
    found = next(_obstacles(system), None)
    if found is not None:
        return found
    space, clock = system.axes[0].symbol, None if system.time is None else system.time.symbol
    moving = {space} if clock is None else {space, clock}
    rows = sorted(system.evolution, key=lambda e: e.unknown)
    spaces: dict[int, Space] = {}
    beyond: dict[int, sp.Expr] = {}
    for equation in rows:
        operators = _operators(equation)
        if not operators:
            continue
        root = root_of(equation.unknown, system.unknowns)
        first = operators[0]
        assert first.operator is not None
        varies = first.coefficient.has(space)
        spaces[root] = Space(first.operator.args[1], first.coefficient if varies else sp.S.One)
        beyond[root] = _exterior(equation, system.unknowns[root].name)
    roots = [root_of(i, system.unknowns) for i in range(len(system.unknowns))]
    outside = [beyond[root] for root in roots]
    for i, unknown in enumerate(system.unknowns):
        depth, parent = 0, unknown.rate_of
        while parent is not None:
            depth, parent = depth + 1, system.unknowns[parent].rate_of
        if depth:
            outside[i] = sp.S.Zero if clock is None else sp.diff(outside[i], clock, depth)
    names = tuple(sp.Dummy(f"reached_{u.name}") for u in system.unknowns)
    linear: list[Product] = []
    rest: list[sp.Expr] = []
    for row, equation in enumerate(rows):
        terms, left = equation.terms, sp.S.Zero
        own = spaces[roots[equation.unknown]]
        for term in terms.linear:
            alike = spaces[roots[term.unknown]] == own
            if term.operator is not None:
                varies = term.coefficient.has(space)
                coefficient = sp.S.One if varies else term.coefficient
                linear.append(Product(row, term.unknown, coefficient, True))
            elif alike and not term.coefficient.free_symbols & moving:
                linear.append(Product(row, term.unknown, term.coefficient, False))
                if outside[term.unknown] != 0:
                    left += term.coefficient * names[term.unknown]
            else:
                left += term.coefficient * system.unknowns[term.unknown].value
        for flux in (*terms.nonlinear, *terms.forcing):
            left += flux.coefficient * _inside(flux.flux)
        rest.append(left)
    return Expansion(
        dimension_of(system.problem),
        tuple(e.unknown for e in rows),
        tuple(spaces[root] for root in roots),
        tuple(outside),
        names,
        tuple(linear),
        tuple(rest),
    )


def _operators(equation: Evolution) -> list[LinearTerm]:
    return [t for t in equation.terms.linear if t.operator is not None]


def _exterior(equation: Evolution, name: str) -> sp.Expr:
    """The field outside, of the operators that act on it."""
    found = {
        o.args[0] for f in equation.terms.forcing for o in f.flux.atoms(Outside) if str(o.args[3]) == name
    }
    return found.pop() if found else sp.S.Zero


def _inside(flux: sp.Expr) -> sp.Expr:
    """Without what the field outside adds to an operator: it is continued into the domain instead."""
    return flux.replace(Outside, lambda *_: sp.S.Zero)


def _obstacles(system: System) -> Iterator[Obstacle]:
    problem = system.problem
    if len(system.axes) != 1 or system.axes[0].periodic:
        yield Obstacle("more than the radius", system.axes[-1].span)
        return
    if problem.coordinates != "cartesian" and centre_of(problem) is None:
        yield Obstacle("a hole around the centre", system.axes[0].span)
        return
    for constraint in system.constraints:
        yield Obstacle("an equation without a time derivative", constraint.span)
    symbol = system.axes[0].symbol
    clock = None if system.time is None else system.time.symbol
    roots = [root_of(i, system.unknowns) for i in range(len(system.unknowns))]
    acted = {roots[e.unknown] for e in system.evolution if _operators(e)}
    for i, unknown in enumerate(system.unknowns):
        if roots[i] not in acted:
            yield Obstacle(f"`{unknown.name}`, which no fractional Laplacian acts on", unknown.span)
            return
    for equation in system.evolution:
        yield from _of_operators(system, equation, roots, symbol, clock)
        yield from _of_terms(system, equation)
        if len(equation.mass) > 1 or any(
            m.coefficient != 1 or m.unknown != equation.unknown or any(m.orders) or not m.local
            for m in equation.mass
        ):
            yield Obstacle("a time derivative with a coefficient", equation.span)
        outside = _exterior(equation, system.unknowns[roots[equation.unknown]].name)
        if outside != 0 and equation.memory and clock is not None and outside.has(clock):
            yield Obstacle("a field outside that moves, beside a memory", equation.span)
    for boundary in system.boundary:
        if system.unknowns[boundary.unknown].rate_of is not None:
            continue  # follows from that of the field
        equation = next(e for e in system.evolution if roots[e.unknown] == boundary.unknown and _operators(e))
        wall = (system.axes[0].lower, system.axes[0].upper)[boundary.side]
        beyond = _exterior(equation, system.unknowns[boundary.unknown].name).subs(symbol, wall)
        if not boundary.dirichlet or boundary.dynamic:
            yield Obstacle("a condition on a slope", boundary.span)
        elif not _one(system, boundary.data, beyond * sp.Add(*(t.coefficient for t in boundary.terms))):
            yield Obstacle("a wall's value that is not that of the field outside", boundary.span)
    for i, value in enumerate(system.initial):
        if value is not None and value.has(Noise):
            yield Obstacle("an initial value with noise", system.unknowns[i].span)


def _of_operators(
    system: System, equation: Evolution, roots: Sequence[int], symbol: sp.Symbol, clock: sp.Symbol | None
) -> Iterator[Obstacle]:
    operators = _operators(equation)
    for term in operators:
        if not isinstance(term.operator, IntegralLaplacian):
            yield Obstacle("another operator between walls", term.span)
        elif term.operator.args[2] != BOX:
            yield Obstacle("a field that reaches beyond the wall", term.span)
        elif roots[term.unknown] != roots[equation.unknown]:
            yield Obstacle("the fractional Laplacian of another field", term.span)
        elif clock is not None and term.coefficient.has(clock):
            yield Obstacle("a coefficient of the operator that changes in time", term.span)
        elif system.unknowns[term.unknown].complex and term.coefficient.has(symbol):
            yield Obstacle("a coefficient of the operator that varies, for a complex field", term.span)
        elif term.coefficient.has(symbol) and len(operators) > 1:
            yield Obstacle("a coefficient that varies, beside another operator,", term.span)
    orders = {t.operator.args[1] for t in operators if isinstance(t.operator, IntegralLaplacian)}
    if len(orders) > 1:
        yield Obstacle("a second order of the operator", operators[-1].span)


def _of_terms(system: System, equation: Evolution) -> Iterator[Obstacle]:
    terms, values = equation.terms, {u.value for u in system.unknowns}
    for term in terms.linear:
        if term.operator is None and not term.local:
            yield Obstacle("another nonlocal operator", term.span)
        if any(term.orders):
            yield Obstacle("a derivative in space", term.span)
    for flux in (*terms.nonlinear, *terms.forcing):
        if any(flux.orders):
            yield Obstacle("a derivative in space", flux.span)
            continue
        for jet in sorted(jets(flux.flux), key=sp.default_sort_key):
            if isinstance(jet, Between):
                yield Obstacle("a fractional Laplacian in a nonlinear term", flux.span)
            elif jet not in values:
                yield Obstacle("a derivative or an integral of a field", flux.span)


def _one(system: System, a: sp.Expr, b: sp.Expr) -> bool:
    """Whether two data are the same, at the parameters' values and some times."""
    difference = sp.expand(a - b)
    if difference == 0:
        return True
    if difference.atoms(AppliedUndef):
        return False
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in system.parameters}
    if system.time is not None:
        low, high = (float(sample(e, values)) for e in (system.time.lower, system.time.upper))
        values[system.time.symbol] = low + (high - low) * np.array([0.0, 0.21, 0.5, 0.83, 1.0])
    size = 1 + np.max(np.abs(sample(a, values)))
    return bool(np.all(np.abs(sample(difference, values)) <= SAME * size))
