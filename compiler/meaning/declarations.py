"""`fields`, `params`, `let`: the names a spec declares beside its axes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Edit, Note, Report
from nablax.frontend.source import Span
from nablax.functions import CONSTANTS
from nablax.limits import WRITTEN_PARTS
from nablax.meaning.arguments import RESERVED
from nablax.meaning.expressions import constant
from nablax.meaning.given import Given
from nablax.meaning.scope import Definition, Elsewhere, Entity, Failed, Scope, describe
from nablax.meaning.values import Fault, fault, outside, reported, shown
from nablax.meaning.weights import definition_weights
from nablax.problem import Axis, Coefficient, Component, Coordinates, Field, Parameter

LARGEST = 10**308  # about what float64 can hold
KINDS = ("scalar", "vector", "complex", "real")
COORDINATES: Mapping[str, Coordinates] = {
    "cartesian": "cartesian",
    "polar": "polar",
    "cylindrical": "cylindrical",
    "spherical": "spherical",
}


def clauses(module: syntax.Module, block: str) -> Iterator[syntax.Clause]:
    """The clauses of a block's statements, in order."""
    found = module.block(block)
    if found is not None:
        for statement in found.statements:
            yield from statement.clauses


def declare(name: str, span: Span, known: dict[str, Entity], entity: Entity, report: Report) -> bool:
    """Enter a name once; reserved names and second declarations are errors."""
    if name in RESERVED:
        report.error(
            "P103",
            span,
            f"`{name}` is a name of the language and cannot be declared",
            help=f"choose another name, such as `{name}0`",
            label="a reserved name",
        )
        if name not in CONSTANTS:
            known.setdefault(name, Failed(name, span))  # its uses say nothing more
        return False
    if (first := known.get(name)) is None:
        known[name] = entity
        return True
    earlier, later = sorted(((first.span, first), (span, entity)), key=lambda pair: pair[0])
    line = report.source.position(earlier[0].start)[0]
    report.error(
        "P102",
        later[0],
        f"`{name}` is declared twice",
        label="second declaration",
        notes=(Note(f"it is {describe(earlier[1])} already, line {line}", earlier[0]),),
        help="rename one of the two: axes, fields, parameters and definitions share their names",
    )
    if type(first) is not type(entity):
        known[name] = Failed(name, span)
    return False


def everything(module: syntax.Module) -> tuple[Elsewhere, ...]:
    """All names that the spec declares, for messages about names that a place cannot see."""
    found: list[Elsewhere] = []
    kinds = {"space": "an axis", "time": "an axis", "params": "a parameter", "fields": "a field"}
    for block, kind in kinds.items():
        inside = module.block(block)
        for statement in inside.statements if inside else ():
            for clause in statement.where or statement.clauses:
                target = declared_name(clause)
                if target is not None:
                    found.append(Elsewhere(target.id, kind, target.span))
    return tuple(found)


def declared_name(clause: syntax.Clause) -> syntax.Name | None:
    """The name that a clause declares."""
    match clause:
        case syntax.Name():
            return clause
        case syntax.Domain(target=target) | syntax.Unknown(target=target) | syntax.Relation(left=target):
            pass
        case _:
            return None
    match target:
        case syntax.Name():
            return target
        case syntax.Item(base=syntax.Name() as base):
            return base
        case syntax.Call(function=function):
            return function
        case _:
            return None


def coordinates(module: syntax.Module) -> Coordinates:
    """Those of the `space` block; the parser has refused words that name none."""
    block = module.block("space")
    word = block.modifier.id if block is not None and block.modifier is not None else ""
    return COORDINATES.get(word, "cartesian")


def parameters(
    module: syntax.Module, scope: Scope, values: Mapping[str, Given], report: Report
) -> tuple[tuple[Parameter, ...], dict[str, Entity]]:
    """The parameters, and every name of the block with what it stands for.

    Each value is a number once the parameters before it are known; `values` replaces some.
    """
    found: list[Parameter] = []
    known: dict[str, Entity] = dict(scope.entities)
    for clause in clauses(module, "params"):
        if _coefficient_target(clause) is not None:
            continue  # read when the axes are known
        try:
            parameter = _parameter(clause, replace(scope, entities=known), values)
        except Fault as error:
            error.tell(report)
            target = declared_name(clause)
            if target is not None:
                declare(target.id, target.span, known, Failed(target.id, target.span), report)
            continue
        if declare(parameter.name, parameter.span, known, parameter, report):
            found.append(parameter)
    return tuple(found), known


def _parameter(clause: syntax.Clause, scope: Scope, values: Mapping[str, Given]) -> Parameter:
    interval: syntax.List | None = None
    match clause:
        case syntax.Relation(left=syntax.Name() as name, right=start):
            pass
        case syntax.Unknown(target=syntax.Name() as name, start=start, interval=interval):
            pass
        case _:
            raise reported()
    symbol = sp.Symbol(name.id, real=True)
    if name.id in values:
        given = values[name.id]
        try:
            value = _number(given.expression, scope)
        except Fault as error:
            raise outside(given.text, error) from None
    else:
        given = None
        value = _number(start, scope)
    formula = constant(start, scope) if given is None else None
    if formula is not None and not formula.free_symbols:
        formula = None
    unknown = isinstance(clause, syntax.Unknown)
    if interval is None:
        return Parameter(name.id, symbol, value, unknown, None, name.span, formula)
    low, high = _range(interval, scope)
    if not low <= value <= high:
        where = start.span if given is None else given.expression.span
        message = f"the start value {shown(value)} of `{name.id}` lies outside its interval"
        wrong = fault("P314", where, message, f"start between {shown(low)} and {shown(high)}")
        raise wrong if given is None else outside(given.text, wrong)
    return Parameter(name.id, symbol, value, unknown, (low, high), name.span)


def _range(interval: syntax.List, scope: Scope) -> tuple[sp.Expr, sp.Expr]:
    """The interval of an unknown: two finite numbers, the smaller one first."""
    low, high = interval_ends(interval, scope, "`[lowest, highest]`")
    low, high = _finite(low, interval.items[0]), _finite(high, interval.items[1])
    check_ends_ordered(low, high, interval)
    return low, high


def _coefficient_target(clause: syntax.Clause) -> syntax.Call | None:
    """The `C(x)` of `C(x) ~ 0.5 in [0.1, 2]`."""
    if isinstance(clause, syntax.Unknown) and isinstance(clause.target, syntax.Call):
        return clause.target
    return None


def coefficients(module: syntax.Module, scope: Scope, report: Report) -> tuple[Coefficient | Failed, ...]:
    """The unknown fields; `scope` knows the parameters and the axes. What fails stays known by its name."""
    found: list[Coefficient | Failed] = []
    for clause in clauses(module, "params"):
        target = _coefficient_target(clause)
        if target is None or not isinstance(clause, syntax.Unknown):
            continue
        try:
            found.append(_coefficient(target, clause, scope))
        except Fault as error:
            error.tell(report)
            found.append(Failed(target.function.id, target.function.span))
    return tuple(found)


def _coefficient(target: syntax.Call, clause: syntax.Unknown, scope: Scope) -> Coefficient:
    axes = {a.name: a for a in scope.all_axes}
    arguments: list[sp.Symbol] = []
    for argument in target.arguments:
        name = argument.value
        if not isinstance(name, syntax.Name) or name.id not in axes or argument.name is not None:
            raise fault(
                "P109",
                argument.span,
                f"`{scope.source.slice(argument.span)}` is not an axis",
                f"an unknown field depends on axes: {', '.join(axes)}",
                label="an axis is wanted here",
            )
        if axes[name.id].symbol in arguments:
            raise fault("P105", argument.span, f"`{name.id}` is named twice", "name every axis once")
        arguments.append(axes[name.id].symbol)
    if not arguments:
        raise fault(
            "P105", target.span, "an unknown field depends on an axis", "write `C(x) ~ 0.5`, or `C ~ 0.5`"
        )
    start = _number(clause.start, scope)
    interval = None if clause.interval is None else _range(clause.interval, scope)
    if interval is not None and not interval[0] < start < interval[1]:
        raise fault(
            "P314",
            clause.start.span,
            f"the start value {shown(start)} of `{target.function.id}` does not lie inside its interval",
            f"start between {shown(interval[0])} and {shown(interval[1])}",
        )
    value = sp.Function(target.function.id, real=True)(*arguments)
    return Coefficient(target.function.id, value, start, interval, target.function.span)


def interval_ends(interval: syntax.List, scope: Scope, form: str) -> tuple[sp.Expr, sp.Expr]:
    """Both ends, at the parameters' values."""
    if len(interval.items) != 2:
        count = len(interval.items)
        raise fault(
            "P314",
            interval.span,
            f"an interval has two ends, and this one has {count}",
            f"write {form}",
        )
    low, high = (constant(item, scope).subs(scope.nominal) for item in interval.items)
    return low, high


def check_ends_ordered(low: sp.Expr, high: sp.Expr, interval: syntax.List) -> None:
    if not low < high:
        raise fault(
            "P314",
            interval.span,
            f"this interval is empty: {shown(low)} is not below {shown(high)}",
            f"choose an upper end above {shown(low)}" if low == high else "write the smaller end first",
        )


def _number(node: syntax.Expression, scope: Scope) -> sp.Expr:
    return _finite(constant(node, scope).subs(scope.nominal), node)


def _finite(value: sp.Expr, node: syntax.Expression) -> sp.Expr:
    """A real number that float64 can hold."""
    if value.is_infinite or (value.is_number and value.is_real and not abs(value) < LARGEST):
        raise fault(
            "P112",
            node.span,
            "a parameter is a finite number, and this is infinite",
            "write a number below 1e308",
        )
    if not value.is_number or value.is_real is not True:
        raise fault(
            "P112",
            node.span,
            "a parameter is a real number, and this is none" + (": it is complex" if value.has(sp.I) else ""),
            "write a real number; a complex one has two parameters, `a + i*b`",
        )
    return value


def fields(
    module: syntax.Module, axes: tuple[Axis, ...], time_axis: Axis | None, report: Report
) -> tuple[Field | Failed, ...]:
    """The fields; one of an unknown kind stays known by its name."""
    arguments = tuple(a.symbol for a in axes) + ((time_axis.symbol,) if time_axis else ())
    found: list[Field | Failed] = []
    block = module.block("fields")
    for statement in block.statements if block else ():
        targets = statement.where or statement.clauses
        words = tuple(
            word
            for clause in (statement.clauses if statement.where else ())
            for word in (clause.id.split() if isinstance(clause, syntax.Name) else [""])
        )
        names = [target for target in targets if isinstance(target, syntax.Name)]
        strange = next((c for c in statement.clauses if statement.where and not _is_kind(c)), None)
        if strange is not None:
            word = report.source.slice(strange.span)
            similar = get_close_matches(word.lower(), KINDS, n=1)
            report.error(
                "P111",
                strange.span,
                f"`{word}` is no kind of field",
                help=f"did you mean `{similar[0]}`?"
                if similar
                else "write `scalar`, `vector`, `complex` or `complex vector`",
                edits=(Edit(strange.span, similar[0]),) if similar else (),
            )
            found += [Failed(name.id, name.span) for name in names]
            continue
        found += [_field(name, "vector" in words, "complex" in words, axes, arguments) for name in names]
    return tuple(found)


def _is_kind(clause: syntax.Clause) -> bool:
    return isinstance(clause, syntax.Name) and clause.id in KINDS


def _field(
    name: syntax.Name,
    vector: bool,
    is_complex: bool,
    axes: tuple[Axis, ...],
    arguments: tuple[sp.Symbol, ...],
) -> Field:
    def component(label: str) -> Component:
        kind = {"complex": True} if is_complex else {"real": True}
        return Component(label, name.id, sp.Function(label, **kind)(*arguments), is_complex, name.span)

    labels = tuple(f"{name.id}.{a.name}" for a in axes) if vector else (name.id,)
    return Field(name.id, int(vector), is_complex, tuple(map(component, labels)), name.span)


def definitions(module: syntax.Module) -> tuple[Definition, ...]:
    found: list[Definition] = []
    for clause in clauses(module, "let"):
        match clause:
            case syntax.Relation(left=syntax.Name() as name, operator="=", right=body):
                found.append(Definition(name.id, None, body, name.span))
            case syntax.Relation(left=syntax.Call() as call, operator="=", right=body) if all(
                isinstance(a.value, syntax.Name) and a.name is None for a in call.arguments
            ):
                names = tuple(a.value.id for a in call.arguments if isinstance(a.value, syntax.Name))
                found.append(Definition(call.function.id, names, body, call.function.span))
            case _:
                pass  # the parser has refused it
    return tuple(found)


def check_definitions(definitions: tuple[Definition, ...], report: Report) -> tuple[Definition | Failed, ...]:
    """Definitions whose arguments differ and that stay within the limit when they are written out."""
    weights = definition_weights(definitions)
    found: list[Definition | Failed] = []
    for definition in definitions:
        names = definition.parameters or ()
        if len(set(names)) < len(names):
            twice = next(n for k, n in enumerate(names) if n in names[:k])
            report.error(
                "P102",
                definition.span,
                f"`{definition.name}` has two arguments called `{twice}`",
                help="rename one of them",
            )
        if weights[definition.name].own > WRITTEN_PARTS:
            report.error(
                "P316",
                definition.span,
                f"`{definition.name}` has more than {WRITTEN_PARTS:,} parts when it is written out",
                help="shorten the definitions that it uses",
            )
            found.append(Failed(definition.name, definition.span))
        else:
            found.append(definition)
    return tuple(found)
