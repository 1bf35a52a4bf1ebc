"""Initial values: one per evolving unknown, none for the others."""

from collections.abc import Sequence

import numpy as np
import sympy as sp

from nablax.fractional_calculus.operators import DistributedCaputo, FractionalOperator
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.passes.jets import base
from nablax.problem import Problem
from nablax.sampling import sample
from nablax.system import Unknown, root_of
from nablax.tables import Tabulated

PLACES = 24  # per axis, where an initial value is looked at


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
                span, height = _height(problem, root, order + 1)
                report.error(
                    "P303",
                    span,
                    f"`{root.name}` {height}, and `{unknown.name}` has no initial value",
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
        elif entry is not None and not unknown.complex and _is_imaginary(problem, entry[0]):
            report.error(
                "P208",
                entry[1],
                f"the initial value of `{unknown.name}` has an imaginary part, and `{root.name}` is real",
                help="declare the field as complex: `psi: complex`, or take the real part: `re(...)`",
            )
    for (name, order), (_, span) in given.items():
        report.error(
            "P304",
            span,
            f"`{_rate_name(name, order)}` has an initial value, and the equations do not need it",
            help="remove it, or check the order of the time derivative",
        )
    return tuple(values)


def _height(problem: Problem, root: Unknown, order: int) -> tuple[Span, str]:
    """Which derivative asks for an initial rate, and where it stands: one with memory, or the whole order."""
    time = problem.time
    assert time is not None
    values = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    low, high = (float(sample(e, values)) for e in (time.lower, time.upper))
    values[time.symbol] = np.linspace(low, high, 33)
    highest, span = 0.0, root.span
    for summand in (s for e in problem.equations for s in e.summands):
        for node in summand.value.atoms(FractionalOperator):
            if node.variable == time.symbol and base(node) == root.value:
                top = node.further[2] if isinstance(node, DistributedCaputo) else node.order
                value = float(np.max(sample(top, values)))
                if value > highest:
                    highest, span = value, summand.span
    if highest <= order - 1:
        return root.span, f"is differentiated {order} times in time"
    return span, f"has a derivative in time of order {highest:g}"


def _is_imaginary(problem: Problem, value: sp.Expr) -> bool:
    """Whether a value is not real somewhere: at places inside, and at the points of the files it is from."""
    if not value.has(sp.I):
        return False
    values: dict[sp.Basic, np.ndarray] = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    given: dict[sp.Basic, np.ndarray] = {}
    for node in value.atoms(Tabulated):
        for place, points in zip(node.args[1:], node.table.points, strict=True):
            given[place] = np.union1d(given.get(place, points), points)
    for k, axis in enumerate(problem.axes):
        low, high = (float(sample(e, values)) for e in (axis.lower, axis.upper))
        inside = low + (high - low) * (np.arange(PLACES) + 0.37) / PLACES
        shape = tuple(-1 if k == j else 1 for j in range(len(problem.axes)))
        values[axis.symbol] = given.get(axis.symbol, inside).reshape(shape)
    found = sample(value, values)
    scale = float(np.nanmax(np.abs(found), initial=0.0))
    return bool((np.abs(np.imag(found)) > 1e-12 * scale).any())


def _rate_name(name: str, order: int) -> str:
    return f"d{'t' * order}({name})" if order else name
