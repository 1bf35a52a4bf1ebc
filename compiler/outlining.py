"""Plan → Outline: what a run has to know, written as plain data."""

from collections.abc import Mapping

import sympy as sp

from nablax.formula import Formula
from nablax.formulate import UnevaluableError, formulate
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.outline import (
    ArrayOutline,
    FieldOutline,
    OrderOutline,
    Outline,
    ParameterOutline,
    Statement,
    UnknownOutline,
)
from nablax.past import arrays_of, nominal_order
from nablax.plan import Plan
from nablax.problem import Expectation, Parameter, Problem
from nablax.reductions import Noise
from nablax.system import System


def outline_of(plan: Plan) -> Outline:
    """The outline of a plan."""
    system, problem = plan.system, plan.system.problem
    static = static_parameters(system)
    return Outline(
        source=problem.source,
        span=problem.span,
        title=problem.title,
        coordinates=problem.coordinates,
        time=None if system.time is None else system.time.name,
        grid=plan.grid,
        frames=plan.frames,
        method=plan.method,
        order=plan.order,
        dealias=plan.dealias,
        stepping=plan.stepping,
        dtype=plan.dtype,
        fields=tuple(
            FieldOutline(f.name, f.rank, f.complex, tuple(c.name for c in f.components), f.span)
            for f in problem.fields
        ),
        evolving=tuple(UnknownOutline(u.name, u.complex) for u in system.unknowns if not u.algebraic),
        parameters=tuple(_parameter(p, p.name in static) for p in system.parameters),
        equations=_equations(system),
        statements=tuple(_statement(e, problem) for e in problem.expectations),
        seeds=tuple(
            sorted({int(n.args[0]) for e in system.initial if e is not None for n in e.atoms(Noise)})
        ),
        constraint=system.constraints[0].name if system.constraints else None,
        remembered=arrays_of(plan),
        n=_place_of_n(problem),
        orders=_orders(system),
        arrays=tuple(ArrayOutline(d.name, d.shape, tuple(map(str, d.arguments))) for d in plan.arrays),
    )


def static_parameters(system: System) -> frozenset[str]:
    """Parameters in the ends of axes and in regions: another value is another grid."""
    axes = (*system.axes, *((system.time,) if system.time else ()))
    symbols = {s for a in axes for s in (a.lower.free_symbols | a.upper.free_symbols)}
    symbols |= {s for cut in system.problem.cuts for s in cut.value.free_symbols}
    return frozenset(p.name for p in system.parameters if p.symbol in symbols)


def formula_of(expression: sp.Basic, problem: Problem) -> Formula:
    """An expression of the problem by the names in its text. Raises `UnevaluableError`."""
    time = None if problem.time is None else problem.time.symbol
    return formulate(expression, names_of(problem), tuple(a.symbol for a in problem.axes), time)


def names_of(problem: Problem) -> Mapping[sp.Basic, str]:
    """Everything that has a value on a frame."""
    names: dict[sp.Basic, str] = {a.symbol: a.name for a in problem.axes}
    if problem.time is not None:
        names[problem.time.symbol] = problem.time.name
    names |= {p.symbol: p.name for p in problem.parameters}
    return names | {c.value: c.name for c in problem.components}


def _parameter(p: Parameter, static: bool) -> ParameterOutline:
    interval = None if p.interval is None else (float(p.interval[0]), float(p.interval[1]))
    return ParameterOutline(p.name, float(p.value), interval, static, p.formula is not None)


def _orders(system: System) -> tuple[OrderOutline, ...]:
    """Of the derivatives in time that follow parameters, and nothing that moves."""
    known = {p.symbol for p in system.parameters}
    nominal = {
        m.order: nominal_order(m, system)
        for e in system.evolution
        for m in e.memory
        if m.order.free_symbols and m.order.free_symbols <= known
    }
    return tuple(
        OrderOutline(formula_of(order, system.problem), int(sp.floor(value)), int(sp.ceiling(value)))
        for order, value in nominal.items()
    )


def _equations(system: System) -> tuple[tuple[str, Span], ...]:
    found = []
    for evolution in system.evolution:
        name = system.unknowns[evolution.unknown].name
        found.append((name, evolution.span))
        if name.startswith("dt("):
            found.append((name[3:-1], evolution.span))
    for constraint in system.constraints:
        if constraint.unknown is not None:
            found.append((system.unknowns[constraint.unknown].name, constraint.span))
    for component in system.problem.components:
        found += [(component.name, component.span), (component.field, component.span)]
    return tuple(dict(reversed(found)).items())


def _statement(expectation: Expectation, problem: Problem) -> Statement:
    def optional(value: sp.Expr | None) -> Formula | None:
        return None if value is None else formula_of(value, problem)

    relation, always, span = expectation.relation, expectation.always, expectation.span
    try:
        left, right = (
            tuple(formula_of(e, problem) for e in _entries(side))
            for side in (expectation.left, expectation.right)
        )
        within, at = optional(expectation.within), optional(expectation.at)
    except UnevaluableError as error:
        return Statement(relation, (), (), None, always, None, span, str(error))
    return Statement(relation, left, right, within, always, at, span)


def check_expectations(problem: Problem, report: Report) -> None:
    """P556 for statements that no frame of a run can answer."""
    for expectation in problem.expectations:
        refusal = _statement(expectation, problem).refusal
        if refusal:
            report.error(
                "P556",
                expectation.span,
                f"this expectation cannot be evaluated: {refusal}",
                help="speak of fields, their space derivatives, coordinates and parameters",
            )


def _entries(side: sp.Basic) -> tuple[sp.Basic, ...]:
    if isinstance(side, sp.MatrixBase):
        return tuple(side)
    return tuple(side.args) if isinstance(side, sp.Tuple) else (side,)


def _place_of_n(problem: Problem) -> Span | None:
    option = next((o for o in problem.solve if o.name == "n"), None)
    inside = option is not None and option.span.end <= len(problem.source.text)
    return option.span if option is not None and inside else None
