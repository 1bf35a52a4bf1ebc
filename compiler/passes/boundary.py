"""Boundary conditions, one unknown each, and their count against the derivatives along the axis."""

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import Jump, check_differentiable
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.limits import EXPRESSION_TERMS, TooLarge
from nablax.meaning.values import shown
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.jets import base, expand, jets, orders_of
from nablax.passes.split import linear_part
from nablax.problem import Axis, BoundaryCondition, Problem, Side
from nablax.system import Boundary, BoundaryTerm, Evolution, Unknown


def boundary_conditions(
    problem: Problem, unknowns: Sequence[Unknown], report: Report
) -> tuple[Boundary, ...] | None:
    """Every condition of the problem as Σ c ∂ⁿu = g, those of the rates derived in time.

    None where one of them has no such form: counting the others would mislead.
    """
    names = tuple(a.name for a in problem.axes)
    index = {u.value: i for i, u in enumerate(unknowns)}
    found: list[Boundary] = []
    for condition in problem.boundary:
        axis = names.index(condition.axis)
        one = _one(problem, condition, axis, index, report)
        if one is not None:
            found.append(one)
    if len(found) < len(problem.boundary) or _repeated(problem, unknowns, found, report):
        return None
    for i, unknown in enumerate(unknowns):
        if unknown.rate_of is not None:
            found += [_rate(b, i, problem, report) for b in found if b.unknown == unknown.rate_of]
    return tuple(found)


def _repeated(
    problem: Problem, unknowns: Sequence[Unknown], found: Sequence[Boundary], report: Report
) -> bool:
    """Whether two conditions on one side fix the same derivatives: they agree or contradict each other."""
    first: dict[tuple[object, ...], Boundary] = {}
    again = False
    for condition in found:
        orders = tuple(t.order for t in condition.terms)
        key = (condition.unknown, condition.axis, condition.side, orders)
        earlier = first.setdefault(key, condition)
        if earlier is not condition:
            again = True
            axis = problem.axes[condition.axis]
            end = (axis.lower, axis.upper)[condition.side]
            report.error(
                "P301",
                condition.span,
                f"`{unknowns[condition.unknown].name}` has this condition twice at "
                f"{axis.name} = {sp.sstr(end)}",
                notes=(Note("the first one", earlier.span),),
                help="remove one of the two, or put a condition on another derivative in its place",
            )
    return again


def _one(
    problem: Problem,
    condition: BoundaryCondition,
    axis: int,
    index: Mapping[AppliedUndef, int],
    report: Report,
) -> Boundary | None:
    real = not any(c.complex for c in problem.components)
    try:
        residual = expand(condition.residual, real)
    except TooLarge:
        report.error(
            "P316",
            condition.span,
            f"this condition has more than {EXPRESSION_TERMS} terms when it is multiplied out",
            help="lower its powers or the order of its derivatives",
        )
        return None
    space = tuple(a.symbol for a in problem.axes)
    wall = problem.axes[axis]
    place = {wall.symbol: wall.lower if condition.side == 0 else wall.upper}
    found = jets(residual)

    def refuse(message: str, help: str) -> None:
        report.error("P402", condition.span, message, help=help)

    if not found:
        report.error(
            "P113",
            condition.span,
            "this condition speaks of no field",
            label="no field here",
            help=f"write `{problem.fields[0].name} = ...` or `dn({problem.fields[0].name}) = ...`",
        )
        return None
    if problem.time is not None and any(
        orders_of(j, (problem.time.symbol,)) != (0,) for j in found if not isinstance(j, Nonlocal)
    ):
        refuse("time derivatives in boundary conditions are not available yet", "prescribe the value itself")
        return None
    bases = {base(j) for j in found}
    if len(bases) > 1:
        refuse(
            f"this condition couples the fields {', '.join(sorted(f'`{b.func.__name__}`' for b in bases))}, "
            "which is not available yet",
            "state a condition for each field by itself",
        )
        return None
    coefficients: dict[int, sp.Expr] = {}
    data = sp.S.Zero
    for term in sp.Add.make_args(residual):
        parts = linear_part(term)
        if not jets(term):
            data -= term
        elif parts is None:
            refuse("nonlinear boundary conditions are not available yet", "linearise the condition")
            return None
        else:
            for jet, coefficient in parts.items():
                orders = orders_of(jet, space)
                if isinstance(jet, Nonlocal) or any(n for i, n in enumerate(orders) if i != axis):
                    refuse(
                        "derivatives along the wall in a boundary condition are not available yet",
                        f"use derivatives along `{wall.name}` only",
                    )
                    return None
                n = orders[axis]
                coefficients[n] = coefficients.get(n, sp.S.Zero) + coefficient
    terms = tuple(
        BoundaryTerm(sp.simplify(c.subs(place)), n) for n, c in sorted(coefficients.items()) if c != 0
    )
    return Boundary(index[bases.pop()], axis, condition.side, terms, data.subs(place), condition.span)


def _rate(given: Boundary, unknown: int, problem: Problem, report: Report) -> Boundary:
    """The condition that the time derivative satisfies."""
    assert problem.time is not None
    t = problem.time.symbol
    try:
        check_differentiable(given.data, t, 1)
    except Jump:
        report.error(
            "P309",
            given.span,
            "a value with a jump in time is given to a field of second order in time",
            help="use a smooth function of time, such as `tanh((t - a)/w)`",
            label="its rate is needed",
        )
    if any(term.coefficient.has(t) for term in given.terms):
        report.error(
            "P402",
            given.span,
            "a coefficient that depends on time, in a condition on a field of second order in time, "
            "is not available yet",
            help="use constant coefficients",
        )
    return Boundary(unknown, given.axis, given.side, given.terms, sp.diff(given.data, t), given.span)


def check_counts(
    problem: Problem,
    unknowns: Sequence[Unknown],
    evolution: Sequence[Evolution],
    boundary: Sequence[Boundary],
    report: Report,
) -> None:
    """m conditions along an axis for a highest derivative of order m: m/2 per side, see LANGUAGE.md."""
    space = tuple(a.symbol for a in problem.axes)
    for axis_index, axis in enumerate(problem.axes):
        if axis.periodic:
            continue
        loose: list[tuple[Unknown, int, Span, list[Boundary]]] = []
        for i, unknown in enumerate(unknowns):
            if unknown.rate_of is not None or unknown.algebraic:
                continue
            order, span, leading = _highest(i, unknowns, evolution, axis_index, space)
            given = [b for b in boundary if b.unknown == i and b.axis == axis_index]
            if order % 2 and leading is None:
                loose.append((unknown, order, span, given))
            else:
                _check_one(problem, unknown, axis, order, span, leading, given, report)
        if len(loose) > 1:
            _check_together(axis, loose, report)
        for unknown, order, span, given in loose if len(loose) == 1 else ():
            _check_one(problem, unknown, axis, order, span, None, given, report)


def _check_together(
    axis: Axis, loose: Sequence[tuple[Unknown, int, Span, list[Boundary]]], report: Report
) -> None:
    """Fields coupled by odd derivatives: waves of the system carry combinations of them, so that only the
    conditions on all of them together can be counted."""
    names = ", ".join(f"`{unknown.name}`" for unknown, *_ in loose)
    wanted = sum(order for _, order, _, _ in loose)
    given = [b for *_, conditions in loose for b in conditions]
    if len(given) == wanted:
        report.warning(
            "P313",
            given[0].span,
            f"{names} are coupled by odd derivatives along {axis.name}: {wanted} conditions in all are "
            "right, and where they belong is not proven",
            help=f"give each side of `{axis.name}` as many conditions as waves enter there",
        )
        return
    report.error(
        "P301",
        given[-1].span if given else axis.span,
        f"{names} need {wanted} boundary conditions along {axis.name} together, and have {len(given)}",
        notes=(Note("they are coupled by odd derivatives", loose[0][2]),),
        help=f"give each side of `{axis.name}` as many conditions as waves enter there, or make it periodic",
    )


def _highest(
    i: int,
    unknowns: Sequence[Unknown],
    evolution: Sequence[Evolution],
    axis: int,
    space: tuple[sp.Symbol, ...],
) -> tuple[int, Span, sp.Expr | None]:
    """Highest derivative of an unknown along an axis in any equation, its place, and its coefficient.

    The coefficient is None unless the derivative stands linearly in the unknown's own equation.
    """
    highest, place, leading = 0, unknowns[i].span, None
    for equation in evolution:
        own = equation.unknown == i or unknowns[equation.unknown].rate_of == i
        for term in equation.terms.linear:
            if term.unknown == i and term.orders[axis] > highest:
                highest, place = term.orders[axis], term.span
                alone = sum(term.orders) == highest
                leading = term.coefficient if own and alone else None
        for term in equation.mass:
            # A space derivative of the time derivative needs conditions as well.
            if term.unknown == i and term.orders[axis] > highest:
                highest, place, leading = term.orders[axis], term.span, None
        for flux in equation.terms.nonlinear:
            for jet in jets(flux.flux):
                n = orders_of(jet, space)[axis]
                if base(jet) == unknowns[i].value and n > highest:
                    highest, place, leading = n, flux.span, _slope(flux.flux, jet) if own else None
    return highest, place, leading


def _slope(flux: sp.Expr, jet: sp.Basic) -> sp.Expr | None:
    name = sp.Dummy(real=True)
    slope = sp.diff(flux.xreplace({jet: name}), name)
    return None if slope.has(name) else slope


def _check_one(
    problem: Problem,
    unknown: Unknown,
    axis: Axis,
    order: int,
    span: Span,
    leading: sp.Expr | None,
    given: Sequence[Boundary],
    report: Report,
) -> None:
    sides: tuple[list[Boundary], list[Boundary]] = (
        [b for b in given if b.side == 0],
        [b for b in given if b.side == 1],
    )
    counts = (len(sides[0]), len(sides[1]))
    ends = (shown(axis.lower), shown(axis.upper))
    wanted, certain = _wanted(problem, order, leading)
    line = report.source.position(span.start)[0]
    reason = Note(
        f"the highest derivative along {axis.name} is d{axis.name * order}({unknown.name}), line {line}"
        if order
        else f"no derivative along {axis.name} is taken of `{unknown.name}`",
        span,
    )
    if counts == wanted:
        return
    if not certain and sum(counts) == order and abs(counts[0] - counts[1]) == 1:
        report.warning(
            "P313",
            given[0].span,
            f"`{unknown.name}` has its odd condition at {axis.name} = "
            f"{ends[0 if counts[0] > counts[1] else 1]}, and no sign proves that it belongs there",
            notes=(reason,),
            help=f"make sure that information enters the domain at this side of `{axis.name}`",
        )
        return
    place = given[0].span if given else axis.span
    missing = [s for s in (0, 1) if counts[s] < wanted[s]]
    total = sum(counts)
    plural = "" if order == 1 else "s"
    if sum(wanted) > total and total:
        label = "only this side is given" if 0 in counts else "not enough of them"
    else:
        label = (
            f"`{axis.name}` has two walls" if not given else "too many" if not missing else "the wrong side"
        )
    if missing:
        where = " and ".join(f"`{axis.name} = {ends[s]}`" for s in missing)
        help = f"add {_numeral(max(wanted[s] - counts[s] for s in missing))} for {where}"
        help += ", or make the axis periodic" if not given or total < order else ""
        if total >= order:
            help = f"move a condition to {where}: that is where it belongs"
    else:
        side = 0 if counts[0] > wanted[0] else 1
        place = sides[side][-1].span
        help = f"remove a condition at `{axis.name} = {ends[side]}`"
    report.error(
        "P301",
        place,
        f"`{unknown.name}` needs {order or 'no'} boundary condition{plural} along {axis.name}"
        + (f" ({wanted[0]} at {ends[0]}, {wanted[1]} at {ends[1]})" if total == order or order > 2 else "")
        + f", and has {total}",
        label=label,
        notes=(reason,),
        help=help,
    )


def _numeral(count: int) -> str:
    return "a line" if count == 1 else f"{count} conditions"


def _wanted(problem: Problem, order: int, leading: sp.Expr | None) -> tuple[tuple[int, int], bool]:
    """Conditions per side, and whether the side of an odd one is proven.

    u_t = a ∂ⁿu with n odd: the extra condition stands where waves enter. With (ik)ⁿ the group velocity
    is n a i^(n-1) k^(n-1) times -1; for n = 1: u_t = a u_x moves to the left for a > 0, enters at the right.
    """
    half = order // 2
    if order % 2 == 0:
        return (half, half), True
    sign = _sign(problem, leading)
    if sign == 0:
        return (half + 1, half), False
    # i^(n-1) is +1 for n = 1, 5, ... and -1 for n = 3, 7, ...
    turned = sign if order % 4 == 1 else -sign
    side: Side = 1 if turned > 0 else 0
    return ((half + 1, half) if side == 0 else (half, half + 1)), True


def _sign(problem: Problem, value: sp.Expr | None) -> int:
    """The sign of a constant coefficient at the nominal parameters, 0 where it is not proven."""
    if value is None:
        return 0
    nominal = value.subs({p.symbol: p.value for p in problem.parameters})
    if nominal.is_number and nominal.is_real:
        return int(sp.sign(nominal))
    positive = nominal.is_positive
    return 0 if positive is None and nominal.is_negative is None else (1 if positive else -1)
