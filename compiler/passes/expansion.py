"""Products and chain rules multiplied out, term by term, within limits; what has no value is an error."""

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import FractionalOperator
from nablax.frontend.diagnostics import Report
from nablax.limits import DERIVATIVE_ORDER, EXPRESSION_TERMS, TooLarge
from nablax.nonlocal_operators import Between, Nonlocal
from nablax.passes.jets import expand, is_jet, jets
from nablax.passes.reality import real_parts
from nablax.problem import Problem, Summand

Expanded = tuple[Summand, ...]
"""An equation brought to one side: its summands, multiplied out."""


def is_real(problem: Problem) -> bool:
    return not any(c.complex for c in problem.components)


def expand_all(problem: Problem, report: Report) -> tuple[Expanded, ...] | None:
    real = is_real(problem)
    found: list[Expanded] = []
    count = 0
    for equation in problem.equations:
        summands: list[Summand] = []
        for summand in equation.summands:
            try:
                value = expand(summand.value, real)
            except TooLarge:
                report.error(
                    "P316",
                    summand.span,
                    f"this term has more than {EXPRESSION_TERMS} terms when it is multiplied out",
                    help="lower its powers or the order of its derivatives",
                )
                continue
            before = count
            count += len(sp.Add.make_args(value))
            if before <= EXPRESSION_TERMS < count:
                report.error(
                    "P316",
                    summand.span,
                    f"the equations have more than {EXPRESSION_TERMS} terms when they are multiplied out",
                    label="here the limit is passed",
                    help="lower powers or the order of derivatives",
                )
            stray = [n for n in value.atoms(*Nonlocal) if not is_jet(n)]
            if stray:
                report.error(
                    "P402",
                    summand.span,
                    "a nonlocal operator of a nonlinear or space-dependent expression is not available yet",
                    help="apply it to a field, or to a sum of fields with constant coefficients",
                )
            t = problem.time.symbol if problem.time else None
            symbols = [n for n in value.atoms(*Nonlocal) if not isinstance(n, FractionalOperator)]
            if any(t in d.variables for n in symbols for d in n.atoms(sp.Derivative)):
                report.error(
                    "P402",
                    summand.span,
                    "a nonlocal operator of a time derivative is not available yet",
                    help="apply it to the field itself, or solve the equation for the time derivative",
                )
            if _composed(value):
                report.error(
                    "P402",
                    summand.span,
                    "derivatives of a nonlocal operator between walls, and the operator of anything but a "
                    "field, are not available yet",
                    help="apply it to the field itself, and to nothing but the field",
                )
            if value.has(sp.zoo, sp.nan):
                report.error(
                    "P320", summand.span, "this term has no finite value", help="check its divisions"
                )
            if value.has(sp.DiracDelta, sp.Subs):
                report.error(
                    "P309",
                    summand.span,
                    "a function with a jump is differentiated",
                    label="not proven to be continuous",
                    help="use a smooth function, such as `tanh((x - a)/w)` with w no smaller than a "
                    "spacing of the grid; for a linear `dx(k*dx(u))`, `order = 2` takes any w",
                )
            highest = max((_total_order(j) for j in jets(value)), default=0)
            if highest > DERIVATIVE_ORDER:
                report.error(
                    "P315",
                    summand.span,
                    f"this term holds a derivative of order {highest}, and the limit is {DERIVATIVE_ORDER}",
                    help="lower the order",
                )
            summands.append(Summand(value, summand.span))
        if real and any(s.value.has(sp.I) for s in summands):
            parts = real_parts([s.value for s in summands])
            summands = [
                replace(s, value=expand(p, real)) for s, p in zip(summands, parts or (), strict=False)
            ] or summands
        found.append(tuple(summands))
    return None if report.failed else tuple(found)


def _composed(value: sp.Expr) -> bool:
    """Whether an operator between walls is differentiated, or applied to another jet than a field."""
    under = any(d.expr.has(*Between) for d in value.atoms(sp.Derivative))
    return under or any(not isinstance(n.args[0], AppliedUndef) for n in value.atoms(*Between))


def _total_order(jet: sp.Basic) -> int:
    while isinstance(jet, Nonlocal):
        jet = jet.args[0]
    return sum(int(n) for _, n in jet.variable_count) if isinstance(jet, sp.Derivative) else 0


def checked_values(problem: Problem, expanded: Sequence[Expanded], report: Report) -> bool:
    """Equations that say nothing, or that are complex where every field is real."""
    good = True
    for equation, summands in zip(problem.equations, expanded, strict=True):
        total = sp.expand(sp.Add(*(s.value for s in summands)))
        if not total.has(AppliedUndef):
            what = "is true whatever the fields are" if total == 0 else "speaks of no field"
            report.error(
                "P310", equation.span, f"this equation {what}", help="remove it, or correct a name in it"
            )
            good = False
        elif is_real(problem) and total.has(sp.I):
            report.error(
                "P208",
                next(s.span for s in summands if s.value.has(sp.I)),
                "this term is imaginary, and every field is real",
                help="declare the field as complex: `psi: complex`",
            )
            good = False
    return good
