"""One boundary condition as an equation for a trace: read, and solved for its highest normal derivative."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.limits import EXPRESSION_TERMS, TooLarge
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.jets import base, bases, expand, jets, jets_of, orders_of, slope_of, without
from nablax.passes.reality import real_parts
from nablax.passes.split import linear_part
from nablax.problem import BoundaryCondition, Problem, Side
from nablax.system import Boundary, BoundaryTerm, Unknown, root_of
from nablax.traces import at_wall, normal_order, tangential


@dataclass(frozen=True, slots=True)
class Stated:
    """0 = residual on a side. Lower time derivatives are rates; `tops` holds the highest ones, each with
    the index of the unknown whose time derivative it is."""

    residual: sp.Expr
    axis: int
    side: Side
    tops: Mapping[sp.Basic, int]
    span: Span


def read(
    problem: Problem, condition: BoundaryCondition, unknowns: Sequence[Unknown], report: Report
) -> Stated | None:
    """The condition with its derivatives carried out; None where it is none, which the report says."""
    axis = next(i for i, a in enumerate(problem.axes) if a.name == condition.axis)
    real = not any(c.complex for c in problem.components)
    try:
        residual = expand(condition.residual, real)
        if real and residual.has(sp.I) and (parts := real_parts([residual])):
            residual = expand(parts[0], real)
    except TooLarge:
        report.error(
            "P316",
            condition.span,
            f"this condition has more than {EXPRESSION_TERMS} terms when it is multiplied out",
            help="lower its powers or the order of its derivatives",
        )
        return None
    found = jets(residual)
    if not bases(residual):
        report.error(
            "P113",
            condition.span,
            "this condition speaks of no field",
            label="no field here",
            help=f"write `{problem.fields[0].name} = ...` or `dn({problem.fields[0].name}) = ...`",
        )
        return None
    if real and residual.has(sp.I):
        report.error(
            "P208",
            condition.span,
            "this condition is imaginary, or not proven to be real, and every field is real",
            help="declare the field as complex: `psi: complex`, or take the real part: `re(...)`",
        )
        return None
    if any(isinstance(j, Nonlocal) for j in found):
        report.error(
            "P402",
            condition.span,
            "a nonlocal operator in a boundary condition is not available yet",
            help="prescribe values and derivatives of whole order",
        )
        return None
    renamed = _by_rates(problem, residual, unknowns, condition.span, report)
    return None if renamed is None else Stated(renamed[0], axis, condition.side, renamed[1], condition.span)


def _by_rates(
    problem: Problem, residual: sp.Expr, unknowns: Sequence[Unknown], span: Span, report: Report
) -> tuple[sp.Expr, dict[sp.Basic, int]] | None:
    if problem.time is None:
        return residual, {}
    t = problem.time.symbol
    space = tuple(a.symbol for a in problem.axes)
    index = {u.value: i for i, u in enumerate(unknowns)}
    rename: dict[sp.Basic, sp.Basic] = {}
    tops: dict[sp.Basic, int] = {}
    for jet in sorted(jets(residual), key=sp.default_sort_key):
        order = orders_of(jet, (t,))[0]
        if not order:
            continue
        root = index[base(jet)]
        chain = [i for i in range(len(unknowns)) if root_of(i, unknowns) == root]
        name = unknowns[root].name
        if unknowns[root].algebraic or order > len(chain):
            report.error(
                "P322",
                span,
                f"this condition holds a time derivative of order {order} of `{name}`, and the equations "
                + ("none" if unknowns[root].algebraic else f"one of order {len(chain)}"),
                help="a condition may go up to the time order of the equations",
            )
            return None
        pairs = [(s, n) for s, n in zip(space, orders_of(jet, space), strict=True) if n]
        if order < len(chain):
            value: sp.Expr = unknowns[chain[order]].value
            rename[jet] = sp.Derivative(value, *pairs) if pairs else value
            continue
        if pairs:
            report.error(
                "P402",
                span,
                f"a space derivative of the highest time derivative of `{name}` in a condition is not "
                "available yet",
                help="use the time derivative of the value itself, such as `dt(u) = -dn(u)`",
            )
            return None
        rename[jet] = sp.Derivative(unknowns[chain[-1]].value, t)
        tops[rename[jet]] = chain[-1]
    return residual.xreplace(rename), tops


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unknown that a condition can be solved for; `order` is that of the normal derivative it gives.

    The higher the better, of time derivatives as well as of normal ones.
    """

    unknown: int
    order: int
    depth: int  # of the rate


def candidates(stated: Stated, unknowns: Sequence[Unknown], space: Sequence[sp.Symbol]) -> list[Candidate]:
    """The unknowns whose trace the condition determines, the most natural first."""
    index = {u.value: i for i, u in enumerate(unknowns)}
    if stated.tops:
        return [
            Candidate(i, 0, _depth(i, unknowns))
            for top, i in stated.tops.items()
            if slope_of(stated.residual, top) is not None
        ]
    found = []
    for i in sorted(index[value] for value in bases(stated.residual)):
        top = _top(stated, unknowns[i], space)
        if top is None:
            continue
        order = normal_order(top, space, stated.axis)
        if order == 0 or slope_of(stated.residual, top) is not None:
            found.append(Candidate(i, order, _depth(i, unknowns)))
    return sorted(found, key=lambda c: (-c.order, -c.depth))


def _depth(i: int, unknowns: Sequence[Unknown]) -> int:
    parent = unknowns[i].rate_of
    return 0 if parent is None else 1 + _depth(parent, unknowns)


def _top(stated: Stated, unknown: Unknown, space: Sequence[sp.Symbol]) -> sp.Basic | None:
    """The highest normal derivative of an unknown, where it stands there undifferentiated along the wall."""
    own = [j for j in jets_of(unknown.value, stated.residual) if j not in stated.tops]
    highest = max(normal_order(j, space, stated.axis) for j in own)
    level = [j for j in own if normal_order(j, space, stated.axis) == highest]
    along = [j for j in level if tangential(j, space, stated.axis)]
    pure = [j for j in level if j not in along]
    # An equation along the wall for the trace itself is no condition that a point can satisfy.
    return pure[0] if pure and not (along and highest == 0) else None


def solved(
    stated: Stated, chosen: Candidate, problem: Problem, unknowns: Sequence[Unknown], report: Report
) -> Boundary | None:
    """The condition in the form of the system."""
    space = tuple(a.symbol for a in problem.axes)
    wall = problem.axes[stated.axis]
    place = {wall.symbol: wall.lower if stated.side == 0 else wall.upper}
    one = (BoundaryTerm(sp.S.One, 0),)

    def made(terms: Sequence[BoundaryTerm], data: sp.Expr, dynamic: bool = False) -> Boundary:
        value = at_wall(data, place)
        return Boundary(
            chosen.unknown, stated.axis, stated.side, tuple(terms), value, stated.span, dynamic=dynamic
        )

    residual = stated.residual
    if stated.tops:
        top = next(j for j, i in stated.tops.items() if i == chosen.unknown)
        slope = slope_of(residual, top)
        assert slope is not None
        rest = sp.expand_mul(without(residual, top))
        if any(j in stated.tops for j in jets(rest)):
            report.error(
                "P402",
                stated.span,
                "a condition with the highest time derivatives of two fields is not available yet",
                help="state one condition for each, solved for its own time derivative",
            )
            return None
        return made(one, sp.expand_mul(-rest / slope), dynamic=True)
    unknown = unknowns[chosen.unknown]
    top = _top(stated, unknown, space)
    assert top is not None
    slope = slope_of(residual, top)
    if slope is None:  # an equation for the trace itself: `u + u^3 = t`
        return made(one, sp.expand_mul(unknown.value - residual))
    if jets(slope):
        rest = without(residual, top)
        return made((BoundaryTerm(sp.S.One, chosen.order),), sp.expand_mul(-rest / slope))
    coefficients: dict[int, sp.Expr] = {}
    data = sp.S.Zero
    for term in sp.Add.make_args(residual):
        parts = linear_part(term) if jets(term) else None
        if parts is None or any(not _pure(j, unknown, space, stated.axis) for j in parts):
            data -= term
            continue
        for jet, coefficient in parts.items():
            n = normal_order(jet, space, stated.axis)
            coefficients[n] = coefficients.get(n, sp.S.Zero) + coefficient
    terms = [BoundaryTerm(sp.simplify(c.subs(place)), n) for n, c in sorted(coefficients.items()) if c != 0]
    return made(terms, data)


def _pure(jet: sp.Basic, unknown: Unknown, space: Sequence[sp.Symbol], axis: int) -> bool:
    return base(jet) == unknown.value and not tangential(jet, space, axis)
