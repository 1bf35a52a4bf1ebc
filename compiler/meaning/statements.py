"""`equations`, `initial`, `expect`: the statements of a spec, as SymPy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.meaning.arguments import check_ordered
from nablax.meaning.expressions import constant, evaluate
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, Value, VectorValue, fault, rank, rank_word, reported, shown
from nablax.problem import (
    Equation,
    Expectation,
    InitialCondition,
    Summand,
)

_EXPECTED: Mapping[str, Literal["≈", "<", ">", "<=", ">="]] = {
    "≈": "≈", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
}  # fmt: skip


def statements_of(module: syntax.Module, name: str) -> tuple[syntax.Statement, ...]:
    block = module.block(name)
    return block.statements if block else ()


def relation_of(clause: syntax.Clause) -> syntax.Relation:
    """The equality that the parser has made sure of."""
    if isinstance(clause, syntax.Relation) and clause.operator == "=":
        return clause
    raise reported()


def equations(module: syntax.Module, scope: Scope, report: Report) -> tuple[Equation, ...]:
    scope = scope.at("equations")
    found: list[Equation] = []
    labels: dict[str, syntax.Name] = {}
    for statement in statements_of(module, "equations"):
        if statement.label is not None:
            _check_label(statement.label, labels, report)
        for clause in statement.clauses:
            label = statement.label.id if statement.label else ""
            try:
                found.extend(_equation(relation_of(clause), label, scope, report))
            except Fault as error:
                error.tell(report)
    return tuple(found)


def _check_label(label: syntax.Name, known: dict[str, syntax.Name], report: Report) -> None:
    first = known.setdefault(label.id, label)
    if first is not label:
        report.error(
            "P102",
            label.span,
            f"two equations are called `{label.id}`",
            label="second one",
            notes=(
                Note(f"the first one is in line {report.source.position(first.span.start)[0]}", first.span),
            ),
            help="give each equation a label of its own",
        )


@dataclass(frozen=True, slots=True)
class _Term:
    value: Value
    sign: int
    span: Span


def _equation(relation: syntax.Relation, label: str, scope: Scope, report: Report) -> tuple[Equation, ...]:
    """The scalar equations of a statement; every summand that means nothing is reported by itself."""
    terms: list[_Term] = []
    faulty = False
    for node, sign in (*_summands(relation.left, 1), *_summands(relation.right, -1)):
        try:
            value = evaluate(node, scope)
        except Fault as error:
            error.tell(report)
            faulty = True
            continue
        if value != 0:
            terms.append(_Term(value, sign, node.span))
    other = next((t for t in terms if rank(t.value) != rank(terms[0].value)), None)
    if other is not None:
        # Most terms tell what the equation is; the odd one out is the one to look at.
        vectors = sum(rank(t.value) for t in terms)
        odd = (
            1
            if vectors < len(terms) - vectors
            else 0
            if vectors > len(terms) - vectors
            else rank(other.value)
        )
        guilty = next(t for t in terms if rank(t.value) == odd)
        rest = next(t for t in terms if rank(t.value) != odd)
        raise fault(
            "P201",
            guilty.span,
            f"{rank_word(guilty.value)} is added to {rank_word(rest.value)}",
            "make every term of the equation a scalar, or every term a vector",
            label=f"this term is {rank_word(guilty.value)}",
            notes=(Note(f"this term is {rank_word(rest.value)}", rest.span),),
        )
    if faulty:
        raise reported()
    if not any(rank(t.value) for t in terms):
        return (Equation(label, tuple(_scalars(terms)), relation.span),)
    return tuple(
        Equation(
            f"{label}.{axis.name}" if label else "",
            tuple(
                Summand(t.sign * t.value.items[i], t.span) for t in terms if isinstance(t.value, VectorValue)
            ),
            relation.span,
        )
        for i, axis in enumerate(scope.axes)
    )


def _scalars(terms: list[_Term]) -> Iterator[Summand]:
    return (Summand(t.sign * t.value, t.span) for t in terms if not isinstance(t.value, VectorValue))


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
    for statement in statements_of(module, "initial"):
        for clause in statement.clauses:
            try:
                found.extend(_initial(relation_of(clause), scope, report))
            except Fault as error:
                error.tell(report)
    return tuple(found)


def _initial(relation: syntax.Relation, scope: Scope, report: Report) -> tuple[InitialCondition, ...]:
    try:
        target = evaluate(relation.left, scope.at("equations"))
    except Fault as error:
        error.tell(report)
        evaluate(relation.right, scope.at("initial"))  # for the faults of this side
        return ()
    value = evaluate(relation.right, scope.at("initial"))
    targets, values = pair(target, value, relation)
    return tuple(_initial_one(t, v, relation, scope) for t, v in zip(targets, values, strict=True))


def pair(
    target: Value, value: Value, relation: syntax.Relation
) -> tuple[tuple[sp.Expr, ...], tuple[sp.Expr, ...]]:
    if isinstance(target, VectorValue) and isinstance(value, VectorValue):
        return target.items, value.items
    if isinstance(target, VectorValue) and value == 0:
        return target.items, (sp.S.Zero,) * len(target.items)
    if isinstance(target, VectorValue) and len(target.items) == 1 and not isinstance(value, VectorValue):
        return target.items, (value,)  # on one axis, `(a)` is a vector as well as a scalar in brackets
    if isinstance(target, VectorValue) or isinstance(value, VectorValue):
        raise fault(
            "P205",
            relation.span,
            f"the left side is {rank_word(target)}, and the right side is {rank_word(value)}",
            "write a vector out, one expression per axis: `U = (a, b)`",
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
            label="this is neither",
        )
    if scope.time is not None:
        value = value.subs(scope.time.symbol, scope.time.lower)
    return InitialCondition(target.func.__name__, order, value, relation.span)


def expectations(module: syntax.Module, scope: Scope, report: Report) -> tuple[Expectation, ...]:
    scope = scope.at("expect")
    found: list[Expectation] = []
    for statement in statements_of(module, "expect"):
        for clause in statement.clauses:
            try:
                found.append(_expectation(clause, statement, scope))
            except Fault as error:
                error.tell(report)
    return tuple(found)


def _expectation(clause: syntax.Clause, statement: syntax.Statement, scope: Scope) -> Expectation:
    if not isinstance(clause, syntax.Relation):
        raise reported()
    relation = _EXPECTED.get(clause.operator)
    if relation is None:
        raise reported()
    left, right = _compared(clause, scope)
    within = None if clause.within is None else constant(clause.within, scope)
    if within is not None and clause.within is not None:
        if relation != "≈":
            raise fault(
                "P207",
                clause.within.span,
                f"`within` belongs to ≈, and this is {relation}",
                "remove `within`",
            )
        if not within.subs(scope.nominal).is_positive:
            raise fault(
                "P207",
                clause.within.span,
                f"the tolerance is {shown(within)}, and must be positive",
                "write `within 1e-6`",
            )
    moment = _moment(statement, scope)
    if moment is not None and clause.always:
        raise fault(
            "P207",
            clause.span,
            "`always` speaks of every frame, and a time is named",
            "remove one of the two",
        )
    return Expectation(left, relation, right, within, clause.always, moment, clause.span)


def _compared(clause: syntax.Relation, scope: Scope) -> tuple[sp.Basic, sp.Basic]:
    """The two sides; vectors as tuples, which ≈ compares jointly."""
    left, right = evaluate(clause.left, scope), evaluate(clause.right, scope)
    if not isinstance(left, VectorValue) and not isinstance(right, VectorValue):
        if clause.operator != "≈":
            check_ordered(left, clause.left.span, "an inequality")
            check_ordered(right, clause.right.span, "an inequality")
        return left, right
    side = clause.left if isinstance(left, VectorValue) else clause.right
    if clause.operator != "≈":
        raise fault(
            "P205",
            side.span,
            "vectors have no order",
            "compare the length `|U|`, or state one line per component",
            label="a vector",
        )
    if isinstance(left, VectorValue) and isinstance(right, VectorValue):
        return sp.Tuple(*left.items), sp.Tuple(*right.items)
    if isinstance(left, VectorValue) and (right == 0 or len(left.items) == 1):
        return sp.Tuple(*left.items), right if right == 0 else sp.Tuple(right)
    raise fault(
        "P205",
        side.span,
        "a vector is compared with a scalar",
        "compare it with a vector, such as `(a, b)`, or with 0",
        label="a vector",
    )


def _moment(statement: syntax.Statement, scope: Scope) -> sp.Expr | None:
    """The time that an expectation is bound to."""
    if not statement.where:
        return None
    place = statement.where[-1]
    relation = relation_of(place)
    time = scope.time
    if time is None or not isinstance(relation.left, syntax.Name) or relation.left.id != time.name:
        raise fault(
            "P312",
            place.span,
            "an expectation can be bound to a time, and to nothing else",
            f"write `{time.name} = 0.5: ...`" if time else "remove it: this problem has no time",
        )
    if len(statement.where) > 1:
        raise fault("P312", place.span, "an expectation is bound to one time", "state one line per time")
    if time.lower is sp.nan:
        raise reported()
    value = constant(relation.right, scope)
    low, at, high = (v.subs(scope.nominal) for v in (time.lower, value, time.upper))
    if not (at.is_real and low <= at <= high):
        raise fault(
            "P312",
            relation.right.span,
            f"this time lies outside the run, which goes from {shown(time.lower)} to {shown(time.upper)}",
            "choose a time of the run",
            label="not computed",
        )
    return value
