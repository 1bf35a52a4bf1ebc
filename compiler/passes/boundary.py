"""Boundary conditions: each read, given to the unknown it determines, and derived in time for rates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod

import sympy as sp

from nablax.continuity import Jump, check_differentiable
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.meaning.values import shown
from nablax.passes.boundary_counts import Need, check_counts, needs_of
from nablax.passes.carried import carriers, check_directions, couplings
from nablax.passes.conditions import Candidate, Stated, candidates, read, solved
from nablax.passes.determination import saddles
from nablax.passes.edges import check_edges
from nablax.passes.jets import bases, jets_of
from nablax.problem import Axis, Problem, Side
from nablax.system import Boundary, Constraint, Evolution, Unknown, root_of
from nablax.traces import frozen, normal_order, time_derivative

ASSIGNMENTS = 4096  # ways to give the conditions of one side to unknowns that are all tried

Needs = Mapping[tuple[int, int], Need]
"""By unknown and axis."""


def boundary_conditions(
    problem: Problem, unknowns: Sequence[Unknown], needs: Needs, report: Report
) -> tuple[Boundary, ...] | None:
    """Every condition of the problem as Σ c ∂ⁿu = g for one unknown, those of the rates derived in time.

    None where one of them has no such form: counting the others would mislead.
    """
    stated = [s for c in problem.boundary if (s := read(problem, c, unknowns, report)) is not None]
    found: list[Boundary] = []
    for axis, side in dict.fromkeys((s.axis, s.side) for s in stated):
        here = [s for s in stated if (s.axis, s.side) == (axis, side)]
        for one, chosen in _assigned(here, problem, unknowns, needs, report):
            form = solved(one, chosen, problem, unknowns, report)
            if form is not None:
                found.append(form)
    if len(found) < len(problem.boundary):
        return None
    if _repeated(problem, unknowns, found, report) or _circular(problem, unknowns, found, report):
        return None
    for i, unknown in enumerate(unknowns):
        if unknown.rate_of is not None:
            given = [b for b in found if b.unknown == unknown.rate_of]
            rates = [_rate(b, i, problem, unknowns, needs, report) for b in given]
            found += [r for r in rates if r is not None]
    return tuple(found)


def _assigned(
    here: Sequence[Stated], problem: Problem, unknowns: Sequence[Unknown], needs: Needs, report: Report
) -> list[tuple[Stated, Candidate]]:
    """The conditions of one side, each with the unknown it is solved for.

    A condition is solved for the highest normal derivative in it. Where several fields have one (`u = v`),
    the fields take turns so that none has more conditions than its derivatives call for.
    """
    space = tuple(a.symbol for a in problem.axes)
    choices: list[list[Candidate]] = []
    kept: list[Stated] = []
    for stated in here:
        found = candidates(stated, unknowns, space)
        if found:
            choices.append(found)
            kept.append(stated)
            continue
        axis = problem.axes[stated.axis]
        report.error(
            "P323",
            stated.span,
            f"this condition does not determine a trace at {axis.name} = {_end(axis, stated.side)}",
            label="no value or normal derivative stands in it linearly",
            help=f"solve it for the highest derivative along {axis.name}, or for the value on the wall",
        )
    if not kept:
        return []
    side = kept[0].side

    def excess(chosen: Sequence[Candidate]) -> int:
        counts: dict[int, int] = {}
        for c in chosen:
            root = root_of(c.unknown, unknowns)
            counts[root] = counts.get(root, 0) + 1
        return sum(max(0, n - needs[root, kept[0].axis].most(side)) for root, n in counts.items() if n > 0)

    def displeasure(chosen: Sequence[Candidate]) -> int:
        """How far the conditions are from being solved for what they would be solved for alone."""
        return sum(
            2 * (options[0].order - c.order) + (options[0].depth != c.depth)
            for options, c in zip(choices, chosen, strict=True)
        )

    if prod(map(len, choices)) > ASSIGNMENTS:
        choices = [options[:1] for options in choices]
    best = min(product(*choices), key=lambda chosen: (excess(chosen), displeasure(chosen)))
    return list(zip(kept, best, strict=True))


def _end(axis: Axis, side: Side) -> str:
    return shown((axis.lower, axis.upper)[side])


def check_boundary(
    problem: Problem,
    unknowns: Sequence[Unknown],
    evolution: Sequence[Evolution],
    constraints: Sequence[Constraint],
    boundary: Sequence[Boundary],
    report: Report,
) -> None:
    """As many conditions as the derivatives call for, none of them as high as the equations."""
    equations: tuple[Evolution | Constraint, ...] = (*evolution, *constraints)
    needs = needs_of(problem, unknowns, equations)
    multipliers = {i for i, u in enumerate(unknowns) if u.algebraic}
    if not saddles([e.terms for e in evolution], constraints, unknowns):
        multipliers -= {e.unknown for e in equations}
    carried = {} if evolution else carriers(problem, unknowns, constraints)
    feeding = couplings(unknowns, constraints, carried)
    check_counts(problem, unknowns, equations, needs, multipliers, feeding, boundary, report)
    check_edges(problem, unknowns, needs, multipliers, report)
    if not report.failed:
        check_directions(problem, unknowns, carried, boundary, report)
        check_orders(problem, unknowns, needs, boundary, report)


def check_orders(
    problem: Problem,
    unknowns: Sequence[Unknown],
    needs: Needs,
    boundary: Sequence[Boundary],
    report: Report,
) -> None:
    """Every normal derivative of a condition lies below the highest one that the equations hold."""
    space = tuple(a.symbol for a in problem.axes)
    for form in boundary:
        if form.derived:
            continue
        axis, value = problem.axes[form.axis], unknowns[form.unknown].value
        mine = {form.unknown, root_of(form.unknown, unknowns)}
        need = max((needs[i, form.axis] for i in mine), key=lambda n: n.order)
        own = [normal_order(j, space, form.axis) for j in jets_of(value, form.data)]
        highest = max([t.order for t in form.terms] + own)
        if highest == 0 or highest < need.order:
            continue
        report.error(
            "P322",
            form.span,
            f"this condition holds d{axis.name * highest}({unknowns[form.unknown].name}), and the highest "
            f"derivative along {axis.name} in the equations has order {need.order}",
            label="as high as the equation itself" if highest == need.order else "higher than the equation",
            notes=(Note("it stands here", need.span),),
            help=f"use derivatives along {axis.name} up to order {need.order - 1}",
        )


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
            report.error(
                "P301",
                condition.span,
                f"`{unknowns[condition.unknown].name}` has this condition twice at "
                f"{axis.name} = {_end(axis, condition.side)}",
                notes=(Note("the first one", earlier.span),),
                help="remove one of the two, or put a condition on another derivative in its place",
            )
    return again


def _circular(
    problem: Problem, unknowns: Sequence[Unknown], found: Sequence[Boundary], report: Report
) -> bool:
    """Whether values on a wall are given by each other in a circle."""
    given: dict[tuple[int, int, int], tuple[Boundary, set[int]]] = {}
    index = {u.value: i for i, u in enumerate(unknowns)}
    for b in found:
        if b.dirichlet:
            reads = {index[value] for value in bases(b.data)} - {b.unknown}
            given[b.unknown, b.axis, b.side] = (b, reads)
            if any(isinstance(j, sp.Derivative) for j in jets_of(unknowns[b.unknown].value, b.data)):
                report.error(
                    "P323",
                    b.span,
                    f"the value of `{unknowns[b.unknown].name}` on this wall is given by its own derivatives",
                    help="solve the condition for its highest derivative across the wall",
                )
                return True
    for (unknown, axis, side), (b, reads) in given.items():
        seen: set[int] = set()
        pending = set(reads)
        while pending:
            other = pending.pop()
            seen.add(other)
            pending |= given[other, axis, side][1] - seen if (other, axis, side) in given else set()
        if unknown in seen:
            names = ", ".join(f"`{unknowns[i].name}`" for i in sorted(seen))
            report.error(
                "P323",
                b.span,
                f"the values of {names} at {problem.axes[axis].name} = {_end(problem.axes[axis], b.side)} "
                "are given by each other",
                label="this closes the circle",
                help="solve the conditions for one value each, or replace one of them",
            )
            return True
    return False


def _rate(
    given: Boundary,
    unknown: int,
    problem: Problem,
    unknowns: Sequence[Unknown],
    needs: Needs,
    report: Report,
) -> Boundary | None:
    """The condition that the time derivative satisfies; None where it satisfies none that is needed."""
    assert problem.time is not None
    t = problem.time.symbol
    bare, _ = frozen(given.data)
    try:
        check_differentiable(bare, t, 1)
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
    data = time_derivative(given.data, unknowns, t)
    if data is None:
        # A rate whose derivatives nobody reads needs no condition, unless its wall is prescribed.
        if needs[unknown, given.axis].order or given.dirichlet:
            _refuse_rate(given.span, unknowns[unknown], report)
        return None
    return replace(given, unknown=unknown, data=data, derived=True)


def _refuse_rate(span: Span, unknown: Unknown, report: Report) -> None:
    report.error(
        "P402",
        span,
        f"this condition, differentiated in time for `{unknown.name}`, holds a time derivative that is no "
        "unknown of its own: that is not available yet",
        help="leave out space derivatives of the time derivative in the equations, or time derivatives here",
    )
