"""Everything a field has to satisfy, as 0 = values at the points of a place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import sympy as sp

from nablax.frontend.source import Span
from nablax.meaning.values import shown
from nablax.passes.expansion import is_real
from nablax.passes.jets import derivative, expand
from nablax.problem import Axis, Cut, Side
from nablax.system import System

INSIDE = "equation"
START = "initial"
MEASURED = sp.Dummy("measured", real=True)
"""The measured value at a point, in the statements of `data`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """0 = every value, in coordinates, time, parameters and jets; one value per axis for a vector.

    `name` is unique (`equation/momentum`, `initial/dt(u)`, `boundary/x=0/1`, `data/sensors`); `place` says
    which points it speaks of (`equation`, `initial`, `boundary/x=0`, `data/sensors`).
    """

    name: str
    place: str
    values: tuple[sp.Expr, ...]
    vector: bool
    span: Span


def statements(system: System) -> tuple[Statement, ...]:
    """Equations, initial conditions, boundary conditions, then measurements, in the order of the text."""
    return (*_equations(system), *_initial(system), *_boundary(system), *_edges(system), *_data(system))


def _equations(system: System) -> Iterator[Statement]:
    for balance in system.balances:
        yield Statement(f"{INSIDE}/{balance.name}", INSIDE, balance.values, balance.vector, balance.span)


def _initial(system: System) -> Iterator[Statement]:
    problem = system.problem
    if problem.time is None:
        return
    t = problem.time.symbol
    by_name = {c.name: c for c in problem.components}
    for _, group in groupby(problem.initial, key=lambda c: (c.span, c.order)):
        conditions = list(group)
        first = by_name[conditions[0].component]
        vector = len(conditions) > 1
        values = tuple(derivative(by_name[c.component].value, (t,), (c.order,)) - c.value for c in conditions)
        name = first.field if vector else first.name
        order = conditions[0].order
        rate = f"d{'t' * order}({name})" if order else name
        yield Statement(f"{START}/{rate}", START, values, vector, conditions[0].span)


def wall_name(axis: Axis, side: Side) -> str:
    """`x=0`: a side as the names of conditions and batches have it."""
    return f"{axis.name}={shown((axis.lower, axis.upper)[side]).replace(' ', '')}"


def _boundary(system: System) -> Iterator[Statement]:
    problem = system.problem
    axes = {a.name: a for a in problem.axes}
    real = is_real(problem)
    counted: dict[str, int] = {}
    for (axis, side, span), group in groupby(problem.boundary, key=lambda b: (b.axis, b.side, b.span)):
        place = f"boundary/{wall_name(axes[axis], side)}"
        counted[place] = counted.get(place, 0) + 1
        values = tuple(expand(b.residual, real) for b in group)
        yield Statement(f"{place}/{counted[place]}", place, values, len(values) > 1, span)


def edge_place(cut: Cut) -> str:
    """The curve of a cut as the names of conditions and batches have it."""
    return f"boundary/{cut.mark.replace(' ', '')}"


def _edges(system: System) -> Iterator[Statement]:
    problem = system.problem
    real = is_real(problem)
    for k, cut in enumerate(problem.cuts):
        place = edge_place(cut)
        here = [e for e in problem.edges if e.cut == k]
        for n, (span, group) in enumerate(groupby(here, key=lambda e: e.span)):
            values = tuple(expand(e.residual, real) for e in group)
            yield Statement(f"{place}/{n + 1}", place, values, len(values) > 1, span)


def _data(system: System) -> Iterator[Statement]:
    """A measurement against the field, in units of its standard error where that is known."""
    for table in system.problem.data:
        misfit = (table.value - MEASURED) / (sp.S.One if table.sigma is None else table.sigma)
        yield Statement(f"data/{table.name}", f"data/{table.name}", (misfit,), False, table.span)


def places(found: Sequence[Statement]) -> dict[str, tuple[Statement, ...]]:
    """The statements of every place, places in the order in which they first occur."""
    grouped: dict[str, list[Statement]] = {}
    for statement in found:
        grouped.setdefault(statement.place, []).append(statement)
    return {place: tuple(members) for place, members in grouped.items()}
