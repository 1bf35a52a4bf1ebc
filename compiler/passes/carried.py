"""Steady equations of first order: what carries each field, and whether its conditions lie on one end of it.

Without time a characteristic has no direction: its value may be given at either end, but not at both. So a
field carried along a = (a_x, a_y, ...) has one condition along every axis with a_k ≠ 0, all of them where a
enters or all where it leaves (R. Courant, D. Hilbert, "Methods of Mathematical Physics" II, chapter I §5).
"""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.meaning.values import shown
from nablax.nonlocal_operators import Nonlocal
from nablax.passes import jets
from nablax.problem import Problem
from nablax.sampling import sample
from nablax.system import Boundary, Constraint, System, Terms, Unknown

PLACES = 7  # per axis along a wall
INSIDE = {1: 129, 2: 17, 3: 9}  # per axis in the domain; odd: the middle is a place
STILL = 1e-9  # of the fastest: slower is standing still

Speeds = tuple[sp.Expr, ...]
"""The factor of the first derivative along each axis; may hold unknowns."""


def carried_alone(system: System) -> Span | None:
    """The place of a first derivative where a steady system holds no higher one, nor any operator but it."""
    if system.time is not None:
        return None
    return first_order_alone(system.right_sides, tuple(a.symbol for a in system.axes))


def first_order_alone(sides: Sequence[Terms], space: tuple[sp.Symbol, ...]) -> Span | None:
    """The same of right-hand sides."""
    place: Span | None = None
    for terms in sides:
        for term in terms.linear:
            if sum(term.orders) > 1 or not term.local:
                return None
            place = term.span if any(term.orders) else place
        for flux in terms.nonlinear:
            for jet in jets.jets(flux.flux):
                if isinstance(jet, Nonlocal) or sum(jets.orders_of(jet, space)) > 1:
                    return None
                place = flux.span if any(jets.orders_of(jet, space)) else place
    return place


def carriers(
    problem: Problem, unknowns: Sequence[Unknown], constraints: Sequence[Constraint]
) -> Mapping[int, Speeds]:
    """The unknowns of a steady first-order system whose own equation takes derivatives of them alone."""
    space = tuple(a.symbol for a in problem.axes)
    if problem.time is not None or first_order_alone([c.terms for c in constraints], space) is None:
        return {}
    found: dict[int, Speeds] = {}
    for equation in constraints:
        if equation.unknown is not None:
            speeds = _speeds(equation, unknowns, space)
            if speeds is not None:
                found[equation.unknown] = speeds
    return found


def _speeds(equation: Constraint, unknowns: Sequence[Unknown], space: tuple[sp.Symbol, ...]) -> Speeds | None:
    total = [sp.S.Zero] * len(space)
    for term in equation.terms.linear:
        if any(term.orders):
            if term.unknown != equation.unknown:
                return None
            total[term.orders.index(1)] += term.coefficient
    for flux in equation.terms.nonlinear:
        for jet in jets.jets(flux.flux):
            orders = jets.orders_of(jet, space)
            if not any(orders):
                continue
            slope = jets.slope_of(flux.flux, jet)
            own = equation.unknown is not None and jets.base(jet) == unknowns[equation.unknown].value
            if not own or slope is None:
                return None
            total[orders.index(1)] += slope
    return tuple(total)


def couplings(
    unknowns: Sequence[Unknown], constraints: Sequence[Constraint], carried: Mapping[int, Speeds]
) -> Mapping[int, frozenset[int]]:
    """By carried unknown the carried ones whose values enter its equation, through others too."""
    index = {u.value: i for i, u in enumerate(unknowns)}
    found: dict[int, frozenset[int]] = {}
    for equation in constraints:
        if equation.unknown is not None and equation.unknown in carried:
            held = {t.unknown for t in equation.terms.linear}
            held |= {index[v] for flux in equation.terms.nonlinear for v in jets.bases(flux.flux)}
            found[equation.unknown] = frozenset(held & carried.keys())
    for _ in found:
        found = {i: direct.union(*(found[j] for j in direct)) for i, direct in found.items()}
    return found


def check_directions(
    problem: Problem,
    unknowns: Sequence[Unknown],
    carried: Mapping[int, Speeds],
    boundary: Sequence[Boundary],
    report: Report,
) -> None:
    """All conditions on a field where it enters, or all where it leaves, and nothing turns round between."""
    for unknown, speeds in carried.items():
        known: tuple[Boundary, int] | None = None
        given = [b for b in boundary if b.unknown == unknown and not problem.axes[b.axis].periodic]
        walls = [(b.axis, b.side) for b in given]
        if any((axis, 1 - side) in walls for axis, side in walls):
            continue  # counted together with those of other fields
        for condition in given:
            unclear = speeds[condition.axis].has(AppliedUndef)
            if unclear and len(given) == 1:
                continue
            inwards = _inwards(problem, unknowns, speeds[condition.axis], condition, boundary)
            axis = problem.axes[condition.axis]
            place = f"{axis.name} = {shown((axis.lower, axis.upper)[condition.side])}"
            other = f"{axis.name} = {shown((axis.upper, axis.lower)[condition.side])}"
            name = unknowns[unknown].name
            if inwards == 0:
                report.warning(
                    "P313",
                    condition.span,
                    f"`{name}` has a condition at {place}, and no sign proves that it belongs there",
                    help="make sure that characteristics enter the domain at all sides with a condition, or "
                    "leave it at all of them",
                )
            elif not unclear and turns(problem, speeds[condition.axis]):
                report.warning(
                    "P313",
                    condition.span,
                    f"`{name}` has a condition at {place}, and what carries it along {axis.name} vanishes or "
                    "turns round inside",
                    label="part of the domain has no characteristic from here",
                    help=f"end the domain where the factor of `d{axis.name}({name})` vanishes",
                )
            elif known is None:
                known = (condition, inwards)
            elif known[1] != inwards:
                first = problem.axes[known[0].axis]
                start = f"{first.name} = {shown((first.lower, first.upper)[known[0].side])}"
                report.error(
                    "P301",
                    condition.span,
                    f"the characteristics of `{name}` that begin at {start} end at {place}, and both sides "
                    "have a condition",
                    label="at the other end of the same characteristics",
                    notes=(Note("the first one", known[0].span),),
                    help=f"move this condition to `{other}`",
                )


def turns(problem: Problem, speed: sp.Expr) -> bool:
    """Whether a known speed has no single sign inside the domain, at the nominal parameters."""
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    count = INSIDE.get(len(problem.axes), PLACES)
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), count + 2)[1:-1]
        for a in problem.axes
    ]
    grids = np.meshgrid(*lines, indexing="ij")
    found = np.asarray(
        sample(speed, values | {a.symbol: g for a, g in zip(problem.axes, grids, strict=True)})
    )
    if np.iscomplexobj(found) or not np.isfinite(found).all():
        return False
    still = STILL * np.max(np.abs(found))
    return not ((found > still).all() or (found < -still).all())


def _inwards(
    problem: Problem,
    unknowns: Sequence[Unknown],
    speed: sp.Expr,
    condition: Boundary,
    boundary: Sequence[Boundary],
) -> int:
    """The sign of the speed into the domain along the wall of a condition, 0 where it has none."""
    wall = problem.axes[condition.axis]
    here = {
        unknowns[b.unknown].value: b.data / b.terms[0].coefficient
        for b in boundary
        if (b.axis, b.side) == (condition.axis, condition.side) and b.dirichlet and len(b.terms) == 1
    }
    end = (wall.lower, wall.upper)[condition.side]
    value = speed.xreplace(here).subs(wall.symbol, end)
    if value.has(AppliedUndef):
        return 0
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    lines = [
        np.linspace(float(sample(a.lower, values)), float(sample(a.upper, values)), PLACES + 2)[1:-1]
        for a in problem.axes
        if a is not wall
    ]
    places = np.array(list(product(*lines))).T
    others = (a.symbol for a in problem.axes if a is not wall)
    values |= dict(zip(others, places, strict=True))
    found = np.asarray(sample(value, values))
    if np.iscomplexobj(found) or not np.isfinite(found).all():
        return 0
    inwards = np.atleast_1d(found if condition.side == 0 else -found)
    still = STILL * np.max(np.abs(inwards))
    return 1 if (inwards > still).all() else -1 if (inwards < -still).all() else 0
