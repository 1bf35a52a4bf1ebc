"""`equations`, `initial`, `boundary`, `expect`: the statements of a spec, as SymPy."""

from collections.abc import Iterator

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.meaning.expressions import constant, evaluate
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, Value, VectorValue, fault, rank_word
from nablax.problem import (
    Axis,
    BoundaryCondition,
    Equation,
    Expectation,
    InitialCondition,
    Parameter,
    Side,
    Summand,
)


def _statements(module: syntax.Module, name: str) -> tuple[syntax.Statement, ...]:
    block = module.block(name)
    return block.statements if block else ()


def _relation(clause: syntax.Clause, example: str) -> syntax.Relation:
    if isinstance(clause, syntax.Relation) and clause.operator == "=":
        return clause
    raise fault("P113", clause.span, "an equality is wanted here", f"write it with `=`, such as `{example}`")


def equations(module: syntax.Module, scope: Scope, report: Report) -> tuple[Equation, ...]:
    scope = scope.at("equations")
    found: list[Equation] = []
    for statement in _statements(module, "equations"):
        for clause in statement.clauses:
            try:
                relation = _relation(clause, "dt(u) = dxx(u)")
                label = statement.label.id if statement.label else ""
                found.extend(_equation(relation, label, statement.span, scope))
            except Fault as error:
                report.add(error.diagnostic)
    return tuple(found)


def _equation(relation: syntax.Relation, label: str, span: Span, scope: Scope) -> tuple[Equation, ...]:
    left = [(evaluate(n, scope), s, n.span) for n, s in _summands(relation.left, 1)]
    right = [(evaluate(n, scope), -s, n.span) for n, s in _summands(relation.right, 1)]
    terms = [(v, s, p) for v, s, p in (*left, *right) if v != 0]
    ranks = {isinstance(v, VectorValue) for v, _, _ in terms}
    if len(ranks) > 1:
        # The first term of the other rank is the one to look at.
        first = isinstance(terms[0][0], VectorValue)
        other = next((v, p) for v, _, p in terms if isinstance(v, VectorValue) is not first)
        raise fault(
            "P201",
            other[1],
            f"this term is {rank_word(other[0])}, and the equation begins with {rank_word(terms[0][0])}",
            "make every term of the equation a scalar, or every term a vector",
            label=rank_word(other[0]),
        )
    if not any(ranks):
        return (Equation(label, tuple(Summand(s * v, p) for v, s, p in terms), relation.span),)
    names = tuple(a.name for a in scope.axes)
    return tuple(
        Equation(
            f"{label}.{name}" if label else "",
            tuple(Summand(s * v.items[i], p) for v, s, p in terms if isinstance(v, VectorValue)),
            relation.span,
        )
        for i, name in enumerate(names)
    )


def _summands(node: syntax.Expression, sign: int) -> Iterator[tuple[syntax.Expression, int]]:
    """The additive terms of a side, so that each keeps its own place. Iterative: sums can be long."""
    pending = [(node, sign)]
    while pending:
        current, factor = pending.pop()
        if isinstance(current, syntax.Binary) and current.operator in "+-":
            pending.append((current.right, factor if current.operator == "+" else -factor))
            pending.append((current.left, factor))
        elif isinstance(current, syntax.Negate):
            pending.append((current.operand, -factor))
        else:
            yield current, factor


def initial(module: syntax.Module, scope: Scope, report: Report) -> tuple[InitialCondition, ...]:
    found: list[InitialCondition] = []
    for statement in _statements(module, "initial"):
        for clause in statement.clauses:
            try:
                found.extend(_initial(_relation(clause, "u = sin(x)"), scope))
            except Fault as error:
                report.add(error.diagnostic)
    return tuple(found)


def _initial(relation: syntax.Relation, scope: Scope) -> tuple[InitialCondition, ...]:
    target = evaluate(relation.left, scope.at("equations"))
    value = evaluate(relation.right, scope.at("initial"))
    targets, values = _pair(target, value, relation)
    return tuple(_initial_one(t, v, relation, scope) for t, v in zip(targets, values, strict=True))


def _pair(
    target: Value, value: Value, relation: syntax.Relation
) -> tuple[tuple[sp.Expr, ...], tuple[sp.Expr, ...]]:
    if isinstance(target, VectorValue) and isinstance(value, VectorValue):
        return target.items, value.items
    if isinstance(target, VectorValue) and value == 0:
        return target.items, (sp.S.Zero,) * len(target.items)
    if isinstance(target, VectorValue) or isinstance(value, VectorValue):
        raise fault(
            "P205",
            relation.span,
            f"the left side is {rank_word(target)}, and the right side is {rank_word(value)}",
            "give a vector one expression per axis: `U = (a, b)`",
        )
    return (target,), (value,)


def _initial_one(
    target: sp.Expr, value: sp.Expr, relation: syntax.Relation, scope: Scope
) -> InitialCondition:
    order = 0
    if (
        isinstance(target, sp.Derivative)
        and scope.time is not None
        and target.variables
        and set(target.variables) == {scope.time.symbol}
    ):
        order = len(target.variables)
        target = target.expr
    if not isinstance(target, AppliedUndef):
        raise fault(
            "P113",
            relation.left.span,
            "the left side of an initial condition is a field or its time derivative",
            "write `u = ...` or `dt(u) = ...`",
        )
    if scope.time is not None:
        value = value.subs(scope.time.symbol, scope.time.lower)
    return InitialCondition(target.func.__name__, order, value, relation.span)


def boundary(module: syntax.Module, scope: Scope, report: Report) -> tuple[BoundaryCondition, ...]:
    found: list[BoundaryCondition] = []
    for statement in _statements(module, "boundary"):
        try:
            walls = _walls(statement, scope)
        except Fault as error:
            report.add(error.diagnostic)
            continue
        for clause in statement.clauses:
            for index, side in walls:
                try:
                    found.extend(_boundary(_relation(clause, "u = 0"), index, side, scope))
                except Fault as error:
                    report.add(error.diagnostic)
    return tuple(found)


def _walls(statement: syntax.Statement, scope: Scope) -> tuple[tuple[int, Side], ...]:
    if not statement.where:
        raise fault(
            "P113",
            statement.span,
            "a boundary condition says where it holds",
            f"begin with a side, such as `{scope.axes[0].name} = {scope.axes[0].lower}:`, or with `all:`",
        )
    found: list[tuple[int, Side]] = []
    for place in statement.where:
        if isinstance(place, syntax.Name) and place.id == "all":
            found += [(i, s) for i, a in enumerate(scope.axes) if not a.periodic for s in (0, 1)]  # type: ignore[misc]
            if not found:
                raise fault(
                    "P307", place.span, "every axis is periodic: there is no wall", "remove this line"
                )
            continue
        relation = _relation(place, "x = 0")
        axis = next(
            (a for a in scope.axes if isinstance(relation.left, syntax.Name) and a.name == relation.left.id),
            None,
        )
        if axis is None:
            raise fault(
                "P312",
                relation.left.span,
                f"`{scope.source.slice(relation.left.span)}` is no space axis",
                f"the space axes are {', '.join(a.name for a in scope.axes)}",
            )
        found.append((scope.axes.index(axis), _side(axis, relation, scope)))
    return tuple(found)


def _side(axis: Axis, relation: syntax.Relation, scope: Scope) -> Side:
    if axis.periodic:
        raise fault(
            "P307",
            relation.span,
            f"`{axis.name}` is periodic and has no wall",
            f"remove the condition, or the word `periodic` where `{axis.name}` is declared",
            label="no wall here",
        )
    value = constant(relation.right, scope)
    nominal = {p.symbol: p.value for p in scope.entities.values() if isinstance(p, Parameter)}
    if sp.expand(value - axis.lower).subs(nominal).is_zero:
        return 0
    if sp.expand(value - axis.upper).subs(nominal).is_zero:
        return 1
    raise fault(
        "P312",
        relation.right.span,
        f"`{axis.name} = {value}` is no end of the axis, which runs from {axis.lower} to {axis.upper}",
        f"use {axis.lower} or {axis.upper}",
    )


def _boundary(
    relation: syntax.Relation, index: int, side: Side, scope: Scope
) -> tuple[BoundaryCondition, ...]:
    inner = scope.at("boundary", (index, side))
    left, right = evaluate(relation.left, inner), evaluate(relation.right, inner)
    if left == 0 and isinstance(right, VectorValue):
        left, right = right, left
    lefts, rights = _pair(left, right, relation)
    name = scope.axes[index].name
    return tuple(
        BoundaryCondition(name, side, a - b, relation.span) for a, b in zip(lefts, rights, strict=True)
    )


def expectations(module: syntax.Module, scope: Scope, report: Report) -> tuple[Expectation, ...]:
    scope = scope.at("expect")
    found: list[Expectation] = []
    for statement in _statements(module, "expect"):
        for clause in statement.clauses:
            try:
                found.append(_expectation(clause, statement, scope))
            except Fault as error:
                report.add(error.diagnostic)
    return tuple(found)


def _expectation(clause: syntax.Clause, statement: syntax.Statement, scope: Scope) -> Expectation:
    if not isinstance(clause, syntax.Relation):
        raise fault("P113", clause.span, "an expectation is a relation", "write `u ≈ ...` or `max(u) <= 1`")
    relation = "≈" if clause.operator == "=" else clause.operator
    if relation not in ("≈", "<", ">", "<=", ">="):
        raise fault("P113", clause.span, f"`{relation}` is no expectation", "use ≈, <, >, <= or >=")
    left, right = evaluate(clause.left, scope), evaluate(clause.right, scope)
    if isinstance(left, VectorValue) or isinstance(right, VectorValue):
        raise fault("P205", clause.span, "an expectation speaks of scalars", "state one line per component")
    within = None if clause.within is None else constant(clause.within, scope)
    if within is not None and relation != "≈":
        raise fault("P113", clause.span, "`within` belongs to ≈", "remove it from the inequality")
    return Expectation(left, relation, right, within, clause.always, _moment(statement, scope), clause.span)


def _moment(statement: syntax.Statement, scope: Scope) -> sp.Expr | None:
    if not statement.where:
        return None
    relation = _relation(statement.where[0], "t = 0.5")
    if (
        scope.time is None
        or not isinstance(relation.left, syntax.Name)
        or relation.left.id != scope.time.name
        or len(statement.where) > 1
    ):
        raise fault(
            "P113", relation.span, "an expectation can be bound to a time only", "write `t = 0.5: ...`"
        )
    value = constant(relation.right, scope)
    nominal = {p.symbol: p.value for p in scope.entities.values() if isinstance(p, Parameter)}
    if not bool(sp.And(value >= scope.time.lower, value <= scope.time.upper).subs(nominal)):
        raise fault(
            "P312",
            relation.right.span,
            f"this time lies outside [{scope.time.lower}, {scope.time.upper}]",
            "choose a time of the run",
        )
    return value
