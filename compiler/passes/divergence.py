"""Systems of first order as balance laws: ∂t U + Σ_a ∂_a F_a(U, x, t) = S(U, x, t).

Fluxes come from the text where it has them (`dx(u^2/2)`, `div(h*U)`), and from integration elsewhere:
Σ_j B_j ∂_a u_j is ∂_a G where a G with ∂G/∂u_j = B_j exists (`u u_x` = ½ (u²)_x), less what G's own
dependence on the coordinate adds (`c(x) u_x` = (c u)_x - c' u).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.integrals.manualintegrate import manualintegrate

from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Nonlocal
from nablax.passes import jets
from nablax.problem import Summand
from nablax.system import Evolution, System


@dataclass(frozen=True, slots=True)
class Law:
    """`fluxes[axis][unknown]` and `sources[unknown]`: pointwise in unknowns, coordinates, time and
    parameters. An equation has the index of its unknown."""

    fluxes: tuple[tuple[sp.Expr, ...], ...]
    sources: tuple[sp.Expr, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a system is no balance law, as the end of a sentence, and the term that says so."""

    reason: str
    span: Span


def first_order(system: System) -> bool:
    """Whether no unknown is differentiated more than once in space, and nothing else acts along space."""
    return (
        first_order_terms(system.evolution, tuple(a.symbol for a in system.axes)) and not system.constraints
    )


def first_order_terms(evolution: Sequence[Evolution], space: tuple[sp.Symbol, ...]) -> bool:
    """The same of evolution equations."""
    for equation in evolution:
        linear = (*equation.terms.linear, *equation.mass)
        if any(sum(t.orders) > 1 or not t.local for t in linear):
            return False
        if any(any(t.orders) for t in equation.mass):
            return False
        for flux in equation.terms.nonlinear:
            if any(
                isinstance(j, Nonlocal) or sum(jets.orders_of(j, space)) > 1 for j in jets.jets(flux.flux)
            ):
                return False
    return True


def balance_law(system: System) -> Law | Obstacle:
    """The divergence form of a system with real, evolving unknowns and derivatives of order one at most."""
    space = tuple(a.symbol for a in system.axes)
    values = tuple(u.value for u in system.unknowns)
    columns: list[tuple[sp.Expr, ...]] = []
    sources: list[sp.Expr] = []
    for equation in system.evolution:
        found = _equation(equation, system, space, values)
        if isinstance(found, Obstacle):
            return found
        flux, source = found
        columns.append(flux)
        sources.append(source)
    return Law(tuple(tuple(c[a] for c in columns) for a in range(len(space))), tuple(sources))


def _equation(
    equation: Evolution, system: System, space: tuple[sp.Symbol, ...], values: tuple[AppliedUndef, ...]
) -> tuple[tuple[sp.Expr, ...], sp.Expr] | Obstacle:
    fluxes = [sp.S.Zero] * len(space)
    source = sp.S.Zero
    slopes: dict[tuple[int, AppliedUndef], sp.Expr] = {}
    place = equation.span
    given = sp.S.Zero  # data alone, which nothing here has to look into
    for summand in _right_side(equation, system):
        if not summand.value.has(AppliedUndef):
            given += summand.value
            continue
        if summand.value.has(*INTEGRALS):
            return Obstacle("an integral stands in it", summand.span)
        for term in sp.Add.make_args(_opened(summand.value)):
            coefficient, inner = _apart(term, space)
            if isinstance(inner, sp.Derivative) and not inner.expr.has(sp.Derivative):
                axis = _only_axis(inner, space)
                if axis is None:
                    return Obstacle("it has a derivative above the first", summand.span)
                fluxes[axis] -= coefficient * inner.expr
                continue
            for part in sp.Add.make_args(jets.expand(term, real=True)):
                found = _slope(part, space)
                if found is None:
                    return Obstacle("a derivative stands under a power or a function", summand.span)
                moving, (axis, value), factor = found
                if not moving:
                    source += part
                    continue
                place = summand.span
                slopes[axis, value] = slopes.get((axis, value), sp.S.Zero) + factor
    for axis, symbol in enumerate(space):
        own = {v: sp.expand(b) for (a, v), b in slopes.items() if a == axis}
        potential = _potential(own, values)
        if potential is None:
            return Obstacle("no flux has it as its derivative", place)
        fluxes[axis] -= potential
        frozen, thaw = _frozen(potential, values)
        source -= sp.diff(frozen, symbol).xreplace(thaw)
    return tuple(fluxes), given + (sp.expand(source) if source.has(*space) else source)


def _right_side(equation: Evolution, system: System) -> tuple[Summand, ...]:
    terms = equation.terms
    if terms.written:
        return terms.written
    space = tuple(a.symbol for a in system.axes)
    return (
        *(
            Summand(
                t.coefficient * jets.derivative(system.unknowns[t.unknown].value, space, t.orders), t.span
            )
            for t in terms.linear
        ),
        *(Summand(t.flux, t.span) for t in (*terms.nonlinear, *terms.forcing)),
    )


def _opened(value: sp.Expr) -> sp.Expr:
    """A product with sums, distributed once; derivatives stay closed."""
    frozen = {d: sp.Dummy() for d in value.atoms(sp.Derivative)}
    return sp.expand_mul(value.xreplace(frozen), deep=False).xreplace({n: d for d, n in frozen.items()})


def _apart(term: sp.Expr, space: tuple[sp.Symbol, ...]) -> tuple[sp.Expr, sp.Expr]:
    """A product as (what depends on neither unknown nor place, the rest)."""
    plain, rest = term.as_independent(AppliedUndef, *space, as_Add=False)
    return plain, rest


def _only_axis(node: sp.Derivative, space: tuple[sp.Symbol, ...]) -> int | None:
    orders = jets.orders_of(node, space)
    return orders.index(1) if sum(orders) == 1 else None


def _slope(
    part: sp.Expr, space: tuple[sp.Symbol, ...]
) -> tuple[bool, tuple[int, AppliedUndef], sp.Expr] | None:
    """(whether it holds a derivative, which, its factor); None where it is not linear in derivatives."""
    found = [j for j in jets.jets(part) if isinstance(j, sp.Derivative)]
    if not found:
        return False, (0, sp.S.Zero), part
    (jet, *others) = found
    name = sp.Dummy(real=True)
    factor = sp.diff(part.xreplace({jet: name}), name)
    axis = _only_axis(jet, space)
    if others or axis is None or factor.has(name):
        return None
    return True, (axis, jets.base(jet)), factor


def _frozen(expression: sp.Expr, values: Sequence[AppliedUndef]) -> tuple[sp.Expr, dict[sp.Basic, sp.Basic]]:
    """The expression with symbols for the unknowns, and the way back."""
    names = {v: sp.Dummy(v.func.__name__, real=True) for v in values}
    return expression.xreplace(names), {n: v for v, n in names.items()}


def _potential(slopes: Mapping[AppliedUndef, sp.Expr], values: Sequence[AppliedUndef]) -> sp.Expr | None:
    """G with ∂G/∂u = slopes[u] for every unknown u (0 where it is not named); None where there is none."""
    names = {v: sp.Dummy(v.func.__name__, real=True) for v in values}
    wanted = {names[v]: slopes.get(v, sp.S.Zero).xreplace(names) for v in values}
    total = sp.S.Zero
    for name, slope in wanted.items():
        rest = sp.expand(slope - sp.diff(total, name))
        for term in sp.Add.make_args(rest):
            if term == 0:
                continue
            piece = _integral(term, name)
            if piece is None:
                return None
            total += piece
    for name, slope in wanted.items():
        if sp.expand(sp.numer(sp.together(sp.diff(total, name) - slope))) != 0:
            return None
    return total.xreplace({n: v for v, n in names.items()})


def _integral(term: sp.Expr, name: sp.Dummy) -> sp.Expr | None:
    plain, moving = term.as_independent(name, as_Add=False)
    base, power = moving.as_base_exp()
    if moving == 1:
        return plain * name
    if base == name and not power.has(name):
        return plain * (sp.log(name) if power == -1 else name ** (power + 1) / (power + 1))
    found = manualintegrate(moving, name)
    return None if found.has(sp.Integral) else plain * found
