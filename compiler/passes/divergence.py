"""Systems as balance laws: ∂t U + Σ_a ∂_a F_a(U, x, t) = Σ_a ∂_a G_a(U, ∇U, x, t) + S(U, x, t).

Fluxes come from the text where it has them (`dx(u^2/2)`, `div(h*U)`), and from integration elsewhere:
Σ_j B_j ∂_a u_j is ∂_a G where a G with ∂G/∂u_j = B_j exists (`u u_x` = ½ (u²)_x), less what G's own
dependence on the coordinate adds (`c(x) u_x` = (c u)_x - c' u). Diffusive fluxes G are linear in the
derivatives of the unknowns; `D u_xx` is (D u_x)_x less what is left, of first order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.integrals.manualintegrate import manualintegrate

from nablax.continuity import Jump, check_differentiable
from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS, Convolution, Running
from nablax.nonlocal_operators import Nonlocal
from nablax.passes import jets
from nablax.problem import Axis, Parameter, Summand
from nablax.reductions import Integral
from nablax.sampling import sample
from nablax.system import Evolution, System

CLOSED = 1e-6  # of its size: what a coefficient may lack to close up around a periodic axis
PLACES = 33  # along a periodic axis, where its size is looked at


@dataclass(frozen=True, slots=True)
class Law:
    """`fluxes[axis][unknown]` and `sources[unknown]`: pointwise in unknowns, coordinates, time and
    parameters; sources may hold integrals besides, and `diffusion[axis][unknown]` is linear in the first
    derivatives of the unknowns. An equation has the index of its unknown."""

    fluxes: tuple[tuple[sp.Expr, ...], ...]
    sources: tuple[sp.Expr, ...]
    diffusion: tuple[tuple[sp.Expr, ...], ...]

    @property
    def diffusive(self) -> bool:
        """Whether anything diffuses."""
        return any(g != 0 for row in self.diffusion for g in row)

    def mixed(self, space: Sequence[sp.Symbol]) -> bool:
        """Whether a diffusive flux across one axis holds a derivative along another."""
        return any(
            any(order and k != axis for k, order in enumerate(jets.orders_of(jet, space)))
            for axis, row in enumerate(self.diffusion)
            for flux in row
            for jet in jets.jets(flux)
        )


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
    """The divergence form of a system with real, evolving unknowns and derivatives of order two at most."""
    space = tuple(a.symbol for a in system.axes)
    values = tuple(u.value for u in system.unknowns)
    found = []
    for equation in system.evolution:
        parts = _equation(equation, system, space, values)
        if isinstance(parts, Obstacle):
            return parts
        found.append(parts)
    return Law(
        tuple(tuple(p.fluxes[a] for p in found) for a in range(len(space))),
        tuple(p.source for p in found),
        tuple(tuple(p.diffusion[a] for p in found) for a in range(len(space))),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What an equation adds to a law: `fluxes` and `diffusion` by axis."""

    fluxes: tuple[sp.Expr, ...]
    diffusion: tuple[sp.Expr, ...]
    source: sp.Expr


def _equation(
    equation: Evolution, system: System, space: tuple[sp.Symbol, ...], values: tuple[AppliedUndef, ...]
) -> _Parts | Obstacle:
    fluxes, diffusion = [sp.S.Zero] * len(space), [sp.S.Zero] * len(space)
    opened = sp.S.Zero  # products of jets that stand under no derivative
    place = equation.span
    given = sp.S.Zero  # data alone, which nothing here has to look into
    for summand in right_side(equation, system):
        if not summand.value.has(AppliedUndef):
            given += summand.value
            continue
        if summand.value.has(Running, Convolution):
            return Obstacle(
                "an integral with a kernel, a running integral or a convolution stands in it", summand.span
            )
        for term in sp.Add.make_args(_opened(summand.value)):
            coefficient, inner = _apart(term, space)
            closed = _closed(inner, space)
            if closed is None:
                more = jets.expand(term, real=True)
                if any(isinstance(j, sp.Derivative) for j in jets.jets(more)):
                    place = summand.span
                opened += more
                continue
            axis, body = closed
            parts = jets.expand(body, real=True) if body.has(sp.Derivative) else body
            for part in sp.Add.make_args(parts) if body.has(sp.Derivative) else (body,):
                order = _order(part, space)
                if order > 1:
                    return Obstacle("it has a derivative above the second", summand.span)
                if order:
                    diffusion[axis] += coefficient * part
                else:
                    fluxes[axis] -= coefficient * part
    second = _second(opened, space)
    if isinstance(second, str):
        return Obstacle(second, place)
    for axis, flux in second.items():
        broken = _broken(flux, system.axes[axis], system.parameters)
        if broken:
            return Obstacle(broken, place)
        diffusion[axis] += flux
        opened -= jets.expand(sp.Derivative(flux, space[axis]), real=True)
    if any(not _gradual(flux) for flux in diffusion):
        return Obstacle("a diffusive flux is not linear in derivatives", place)
    found = _transport(jets.expand(opened, real=True), space)
    if isinstance(found, str):
        return Obstacle(found, place)
    slopes, source = found
    for axis, symbol in enumerate(space):
        own = {v: sp.expand(b) for (a, v), b in slopes.items() if a == axis}
        potential = _potential(own, values)
        if potential is None:
            return Obstacle("no flux has it as its derivative", place)
        fluxes[axis] -= potential
        frozen, thaw = _frozen(potential, values)
        broken = _broken(frozen, system.axes[axis], system.parameters)
        if broken:
            return Obstacle(broken, place)
        source -= sp.diff(frozen, symbol).xreplace(thaw)
    source = given + (sp.expand(source) if source.has(*space) else source)
    if any(flux.has(*INTEGRALS) for flux in (*fluxes, *diffusion)):
        return Obstacle("a flux holds an integral", place)
    if any(node.args[0].has(sp.Derivative, *Nonlocal) for node in source.atoms(Integral)):
        where = next((s.span for s in right_side(equation, system) if s.value.has(Integral)), place)
        return Obstacle("an integral holds a derivative", where)
    return _Parts(tuple(fluxes), tuple(diffusion), source)


def _order(part: sp.Expr, space: tuple[sp.Symbol, ...]) -> int:
    """The highest derivative of an unknown in space."""
    return max((sum(jets.orders_of(j, space)) for j in jets.jets(part)), default=0)


def _closed(node: sp.Expr, space: tuple[sp.Symbol, ...]) -> tuple[int, sp.Expr] | None:
    """(axis, what stands under the derivative along it) of a derivative of order one or two of something."""
    if not isinstance(node, sp.Derivative):
        return None
    orders = jets.orders_of(node, space)
    if not 1 <= sum(orders) <= 2 or sum(orders) != node.derivative_count:
        return None
    axis = next(k for k, n in enumerate(orders) if n)
    rest = [s for k, (s, n) in enumerate(zip(space, orders, strict=True)) for _ in range(n - (k == axis))]
    return axis, sp.Derivative(node.expr, *rest) if rest else node.expr


def _second(value: sp.Expr, space: tuple[sp.Symbol, ...]) -> dict[int, sp.Expr] | str:
    """By axis the fluxes whose derivatives are the terms of second order; what is in the way otherwise."""
    found: dict[int, sp.Expr] = {}
    for part in sp.Add.make_args(value):
        highest = [j for j in jets.jets(part) if sum(jets.orders_of(j, space)) > 1]
        if not highest:
            continue
        jet = highest[0]
        orders = jets.orders_of(jet, space)
        if sum(orders) > 2:
            return "it has a derivative above the second"
        factor = jets.slope_of(part, jet)
        if len(highest) > 1 or factor is None or any(isinstance(j, sp.Derivative) for j in jets.jets(factor)):
            return "a derivative stands under a power or a function"
        axis = next(k for k, n in enumerate(orders) if n)
        lower = tuple(n - (k == axis) for k, n in enumerate(orders))
        flux = factor * jets.derivative(jets.base(jet), space, lower)
        found[axis] = found.get(axis, sp.S.Zero) + flux
    return found


def _gradual(flux: sp.Expr) -> bool:
    """Whether a flux is a linear function of the derivatives in it."""
    names = {j: sp.Dummy(real=True) for j in jets.jets(flux) if isinstance(j, sp.Derivative)}
    frozen = flux.xreplace(names)
    return not any(sp.diff(frozen, n).has(*names.values()) for n in names.values())


def _transport(
    value: sp.Expr, space: tuple[sp.Symbol, ...]
) -> tuple[dict[tuple[int, AppliedUndef], sp.Expr], sp.Expr] | str:
    """The factors of the first derivatives, and the rest; what is in the way otherwise."""
    slopes: dict[tuple[int, AppliedUndef], sp.Expr] = {}
    source = sp.S.Zero
    for part in sp.Add.make_args(value):
        found = _slope(part, space)
        if found is None:
            return "a derivative stands under a power or a function"
        moving, (axis, jet), factor = found
        if not moving:
            source += part
            continue
        slopes[axis, jet] = slopes.get((axis, jet), sp.S.Zero) + factor
    return slopes, source


def right_side(equation: Evolution, system: System) -> tuple[Summand, ...]:
    """The summands of a right-hand side, as they stand in the text where that form is kept."""
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


def _broken(flux: sp.Expr, axis: Axis, parameters: Sequence[Parameter]) -> str:
    """Why differentiating a flux along an axis leaves a delta beside a source; "" where it does not."""
    try:
        check_differentiable(flux, axis.symbol, 1)
    except Jump:
        return f"a coefficient outside a derivative may jump along {axis.name}"
    if axis.periodic and not _closes_up(flux, axis, parameters):
        return f"a coefficient outside a derivative does not close up around {axis.name}"
    return ""


def _closes_up(flux: sp.Expr, axis: Axis, parameters: Sequence[Parameter]) -> bool:
    """Whether a function has one value at both ends of an axis: by algebra, or at a few places."""
    names = jets.stand_ins(flux)
    frozen = flux.xreplace(names)
    if not frozen.has(axis.symbol):
        return True
    if sp.expand(frozen.subs(axis.symbol, axis.upper) - frozen.subs(axis.symbol, axis.lower)) == 0:
        return True
    known: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in parameters}
    low, high = (float(sample(end, known)) for end in (axis.lower, axis.upper))
    others = sorted(frozen.free_symbols - set(known) - {axis.symbol}, key=sp.default_sort_key)
    line = np.linspace(low, high, PLACES)
    for share in (0.31, 0.73):
        fixed = {s: np.asarray(share + 0.1 * k) for k, s in enumerate(others)}
        found = np.broadcast_to(sample(frozen, known | fixed | {axis.symbol: line}), line.shape)
        if not np.abs(found[-1] - found[0]) <= CLOSED * np.max(np.abs(found)):
            return False
    return True


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
