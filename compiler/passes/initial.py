"""Initial values: one per evolving unknown, none for the others."""

from collections.abc import Sequence

import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.problem import Problem
from nablax.system import Unknown, root_of


def initial_values(
    problem: Problem, unknowns: Sequence[Unknown], report: Report
) -> tuple[sp.Expr | None, ...]:
    """One value per evolving unknown; missing and superfluous ones are errors.

    In a steady problem a value is where an iteration begins, and may be left out.
    """
    given: dict[tuple[str, int], tuple[sp.Expr, Span]] = {}
    for condition in problem.initial:
        key = (condition.component, condition.order)
        if key in given:
            report.error(
                "P304",
                condition.span,
                f"`{_rate_name(*key)}` has two initial values",
                label="second one",
                notes=(Note("the first one", given[key][1]),),
                help="keep one of them",
            )
        given[key] = (condition.value, condition.span)
    values: list[sp.Expr | None] = []
    for i, unknown in enumerate(unknowns):
        root = unknowns[root_of(i, unknowns)]
        order = 0
        parent = unknown.rate_of
        while parent is not None:
            order, parent = order + 1, unknowns[parent].rate_of
        entry = given.pop((root.name, order), None)
        values.append(entry[0] if entry else None)
        if entry is None and not unknown.algebraic and problem.time is not None:
            if order:
                report.error(
                    "P303",
                    root.span,
                    f"`{root.name}` is differentiated {order + 1} times in time, and `{unknown.name}` "
                    "has no initial value",
                    help=f"add `{unknown.name} = 0` (or the rate it starts with) to `initial`",
                )
            else:
                report.error(
                    "P303",
                    root.span,
                    f"`{root.name}` has no initial value",
                    help=f"add `{root.name} = ...` to `initial`",
                )
        elif entry is not None and unknown.algebraic and problem.time is not None:
            report.error(
                "P304",
                entry[1],
                f"`{unknown.name}` has an initial value, and no equation holds its time derivative",
                help="remove the initial value: the equations determine it at every time",
            )
    for (name, order), (_, span) in given.items():
        report.error(
            "P304",
            span,
            f"`{_rate_name(name, order)}` has an initial value, and the equations do not need it",
            help="remove it, or check the order of the time derivative",
        )
    return tuple(values)


def _rate_name(name: str, order: int) -> str:
    return f"d{'t' * order}({name})" if order else name
