"""Flows between walls: a constraint that a projection keeps, read from where its multiplier stands.

    du_i/dt = f_i + c_i ∂p/∂x_k(i)        0 = Σ e_i ∂u_i/∂x_k(i) + h

Nothing here knows a velocity or a pressure by name: u are the unknowns of the constraint, p is the unknown
that nothing determines.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.passes.determination import highest_orders, saddle_points
from nablax.passes.divergence import Obstacle
from nablax.passes.jets import jets
from nablax.plan import Choice
from nablax.planning.solvability import check_balanced
from nablax.planning.spectrum import nominal
from nablax.reductions import Noise
from nablax.sampling import sample
from nablax.system import Boundary, Constraint, LinearTerm, System, Terms


@dataclass(frozen=True, slots=True)
class Slope:
    """coefficient · ∂/∂x of an unknown, x the axis with that index; the coefficient holds parameters only."""

    unknown: int
    axis: int
    coefficient: sp.Expr


@dataclass(frozen=True, slots=True)
class Projection:
    """`divergence` are the terms of the constraint, h its source. `gradient` has a term for every unknown in
    whose equation the multiplier stands, along the axis and with the coefficient it has there."""

    constraint: int
    multiplier: int
    divergence: tuple[Slope, ...]
    gradient: tuple[Slope, ...]
    source: sp.Expr

    def weight(self, axis: int) -> sp.Expr:
        """Σ e_i c_i over the unknowns that the constraint differentiates along an axis."""
        back = {s.unknown: s.coefficient for s in self.gradient}
        along = (s for s in self.divergence if s.axis == axis)
        return sp.Add(*(s.coefficient * back.get(s.unknown, sp.S.Zero) for s in along))


def projected(system: System) -> bool:
    """Whether a constraint acts through a multiplier."""
    return any(c.unknown is None for c in system.constraints)


def projection_of(system: System) -> Projection | Obstacle:
    """What keeps the one constraint of a system, or why no projection on a grid with walls does."""
    saddles = saddle_points(system)
    if saddles:
        return Obstacle(
            "what it acts through stands under no time derivative", system.constraints[saddles[0]].span
        )
    index = next(i for i, c in enumerate(system.constraints) if c.unknown is None)
    constraint = system.constraints[index]
    known = {c.unknown for c in system.constraints}
    loose = [i for i, u in enumerate(system.unknowns) if u.algebraic and i not in known]
    if len(system.constraints) > 1 or len(loose) != 1:
        return Obstacle("there are others beside it", system.constraints[index - 1].span)
    (multiplier,) = loose
    name = system.unknowns[multiplier].name
    divergence = _slopes(system, constraint)
    if isinstance(divergence, Obstacle):
        return divergence
    along = {s.unknown: s.axis for s in divergence}
    gradient: list[Slope] = []
    for equation in system.evolution:
        for flux in equation.terms.nonlinear:
            if multiplier in highest_orders(Terms(nonlinear=(flux,)), system.unknowns):
                return Obstacle(f"`{name}` has to enter linearly", flux.span)
        terms = [t for t in equation.terms.linear if t.unknown == multiplier]
        for term in terms:
            slope = _slope(system, term)
            axis = along.get(equation.unknown, None if slope is None else slope.axis)
            if slope is None or len(terms) > 1 or slope.axis != axis:
                return Obstacle(
                    f"`{name}` has to enter as a gradient with constant coefficients, its part along an axis "
                    "where the constraint has a derivative along that axis",
                    term.span,
                )
            gradient.append(Slope(equation.unknown, slope.axis, slope.coefficient))
    found = Projection(index, multiplier, divergence, tuple(gradient), _source(constraint, system))
    weights = [_nominal(found.weight(k), system) for k in sorted(set(along.values()))]
    if not (all(w > 0 for w in weights) or all(w < 0 for w in weights)):
        return Obstacle(f"`{name}` does not act on every part of it with one sign", constraint.span)
    return found


def check_projection(system: System, report: Report) -> None:
    """Whether a grid can keep the constraint between the walls as they are; says so where not."""
    found = projection_of(system)
    constraint = next(c for c in system.constraints if c.unknown is None)
    if isinstance(found, Obstacle):
        here = () if found.span == constraint.span else (Note("here", found.span),)
        report.error(
            "P402",
            constraint.span,
            f"this constraint with walls is not available yet: {found.reason}",
            notes=here,
            help="make every axis periodic",
        )
        return
    name = system.unknowns[found.multiplier].name
    for condition in system.boundary:
        if condition.unknown == found.multiplier or condition.data.has(
            system.unknowns[found.multiplier].value
        ):
            report.error(
                "P402",
                condition.span,
                f"a condition that holds `{name}`, the multiplier of a constraint, is not available yet",
                notes=(Note("here is the constraint", constraint.span),),
                help="give the fields of the constraint on every wall",
            )
    for condition, reason in _unfit(system, found):
        name = system.unknowns[condition.unknown].name
        report.error(
            "P402",
            condition.span,
            f"this condition on `{name}`, which a constraint holds, is not available yet: {reason}",
            notes=(Note("here is the constraint", constraint.span),),
            help="give its value as a function of space and time, on every wall",
        )
    if not report.failed:
        owned = tuple(
            replace(c, unknown=found.multiplier if c == constraint else c.unknown) for c in system.constraints
        )
        check_balanced(replace(system, constraints=owned), found.multiplier, report)


def uneven_friction(system: System) -> Span | None:
    """A term of second or higher order in an equation that the multiplier of a constraint stands in, whose
    coefficient is not constant: implicit steps do not take it. None where there is none."""
    found = projection_of(system)
    assert isinstance(found, Projection)
    moving = {a.symbol for a in system.axes} | ({system.time.symbol} if system.time else set())
    pushed = {s.unknown for s in found.gradient}
    for equation in (e for e in system.evolution if e.unknown in pushed):
        for term in equation.terms.linear:
            stiff = sum(term.orders) > 1 or not term.local
            if stiff and (term.coefficient.free_symbols & moving or not term.local):
                return term.span
        for flux in equation.terms.nonlinear:
            if max(highest_orders(Terms(nonlinear=(flux,)), system.unknowns).values(), default=0) > 1:
                return flux.span
    return None


def projection_choices(system: System, choices: list[Choice]) -> None:
    """What keeps a constraint between walls, and what fixes its multiplier."""
    found = projection_of(system)
    assert isinstance(found, Projection)
    constraint, name = system.constraints[found.constraint], system.unknowns[found.multiplier].name
    choices.append(
        Choice(
            "constraint",
            "projection",
            f"`{constraint.name}` is kept in every cell, but for a checkerboard that data of walls leave and "
            f"corners where walls disagree: one fast solve for `{name}` in every rate",
        )
    )
    choices.append(Choice(f"mean of {name}", "0", "equations and conditions hold its derivatives only"))


def _slopes(system: System, constraint: Constraint) -> tuple[Slope, ...] | Obstacle:
    """The terms of a divergence."""
    terms = constraint.terms
    if terms.nonlinear:
        return Obstacle("it is not linear", terms.nonlinear[0].span)
    moving = {e.unknown for e in system.evolution if len(e.mass) == 1 and not e.memory}
    found: dict[int, Slope] = {}
    for term in terms.linear:
        slope, unknown = _slope(system, term), system.unknowns[term.unknown]
        if slope is None or term.unknown in found:
            return Obstacle(
                "its terms have to be one first derivative of each field, with constant coefficients",
                term.span,
            )
        if term.unknown not in moving or unknown.rate_of is not None or unknown.complex:
            return Obstacle(f"`{unknown.name}` has to be real, and of first order in time", term.span)
        found[term.unknown] = slope
    rates = {u.rate_of for u in system.unknowns}
    if rates & set(found):
        return Obstacle("its fields have to be of first order in time", constraint.span)
    source = next((f for f in terms.forcing if f.flux.has(Noise, *INTEGRALS)), None)
    if source is not None:
        return Obstacle("its source holds more than functions of space and time", source.span)
    return tuple(found.values())


def _slope(system: System, term: LinearTerm) -> Slope | None:
    moving = {a.symbol for a in system.axes} | ({system.time.symbol} if system.time else set())
    if not term.local or sum(term.orders) != 1 or term.coefficient.free_symbols & moving:
        return None
    return Slope(term.unknown, term.orders.index(1), term.coefficient)


def _source(constraint: Constraint, system: System) -> sp.Expr:
    total = sp.S.Zero
    for term in constraint.terms.forcing:
        flux = term.flux
        for axis, order in zip(system.axes, term.orders, strict=True):
            flux = sp.diff(flux, axis.symbol, order)
        total += term.coefficient * flux
    return total


def _nominal(weight: sp.Expr, system: System) -> float:
    value = complex(np.asarray(sample(weight, nominal(system))).reshape(()))
    return value.real if value.imag == 0 else float("nan")


def _unfit(system: System, found: Projection) -> Iterator[tuple[Boundary, str]]:
    """Conditions on fields of the constraint that no projection takes, and why."""
    along = {s.unknown: s.axis for s in found.divergence}
    for side_of in {(b.axis, b.side): None for b in system.boundary if b.unknown in along}:
        here = [b for b in system.boundary if b.unknown in along and (b.axis, b.side) == side_of]
        slipping = [b for b in here if not b.dirichlet and not b.dynamic and b.data == 0 and _bare(b)]
        for b in here:
            if b.dirichlet and not jets(b.data):
                if along[b.unknown] != b.axis and any(along[s.unknown] != s.axis for s in slipping):
                    yield b, "its wall lets some of the fields slip along it, and not all"
            elif b not in slipping:
                yield b, "it gives neither the value nor a slope of zero"
            elif along[b.unknown] == b.axis:
                yield b, "the part across a wall needs its value"


def _bare(condition: Boundary) -> bool:
    return [t.order for t in condition.terms] == [1]
