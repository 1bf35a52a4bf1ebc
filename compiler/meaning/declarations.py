"""`space`, `time`, `fields`, `params`, `let`: the names a spec declares."""

from collections.abc import Iterable, Iterator, Mapping

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.limits import AXES
from nablax.meaning.expressions import RESERVED, constant
from nablax.meaning.scope import Definition, Entity, Scope, describe, splits
from nablax.meaning.values import Fault, fault
from nablax.problem import Axis, Component, Coordinates, Field, Parameter

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


def declare(name: str, span: Span, known: dict[str, Entity], entity: Entity, report: Report) -> None:
    """Enter a name once; reserved names and second declarations are errors."""
    if name in RESERVED:
        report.error(
            "P103",
            span,
            f"`{name}` is a name of the language and cannot be declared",
            help=f"choose another name, such as `{name}0`",
        )
        return
    if (first := known.get(name)) is not None:
        line = report.source.position(first.span.start)[0]
        report.error(
            "P102",
            span,
            f"`{name}` is declared twice",
            label="second declaration",
            notes=(Note(f"it is {describe(first)} already, line {line}", first.span),),
            help="rename one of the two",
        )
        return
    known[name] = entity


def coordinates(module: syntax.Module, report: Report) -> Coordinates:
    block = module.block("space")
    if block is None or block.modifier is None:
        return "cartesian"
    word = block.modifier.id
    if word not in COORDINATES:
        report.error(
            "P107",
            block.modifier.span,
            f"`{word}` is no coordinate system",
            help=f"use one of {', '.join(COORDINATES)}",
        )
        return "cartesian"
    return COORDINATES[word]


def parameters(
    module: syntax.Module, scope: Scope, values: Mapping[str, syntax.Expression], report: Report
) -> tuple[Parameter, ...]:
    """Each value is a number once the parameters before it are known; `values` replaces some."""
    found: list[Parameter] = []
    numbers: dict[sp.Symbol, sp.Expr] = {}
    known: dict[str, Entity] = {}
    for clause in clauses(module, "params"):
        try:
            target, start, interval = _parameter_parts(clause)
            inner = Scope(scope.source, scope.geometry, (), None, known, "constant")
            value = _number(values.get(target.id, start), inner, numbers)
            bounds = None
            if interval is not None:
                if len(interval.items) != 2:
                    raise fault(
                        "P314", interval.span, "an interval has two ends", "write `[lowest, highest]`"
                    )
                low, high = (_number(item, inner, numbers) for item in interval.items)
                if not (low <= value <= high):
                    raise fault(
                        "P314",
                        interval.span,
                        f"the start value {value} of `{target.id}` lies outside its interval",
                        "start inside the interval",
                    )
                bounds = (low, high)
        except Fault as error:
            report.add(error.diagnostic)
            if isinstance(clause, syntax.Relation | syntax.Unknown):
                target_node = clause.left if isinstance(clause, syntax.Relation) else clause.target
                if isinstance(target_node, syntax.Name):
                    # Known, if without a value, so that its uses raise no second error.
                    known[target_node.id] = Parameter(
                        target_node.id, sp.Symbol(target_node.id, real=True), sp.S.One, False, None,
                        target_node.span,
                    )  # fmt: skip
            continue
        symbol = sp.Symbol(target.id, real=True)
        unknown = isinstance(clause, syntax.Unknown)
        parameter = Parameter(target.id, symbol, value, unknown, bounds, target.span)
        before = len(known)
        declare(target.id, target.span, known, parameter, report)
        if len(known) > before:
            numbers[symbol] = value
            found.append(parameter)
    return tuple(found)


def _parameter_parts(
    clause: syntax.Clause,
) -> tuple[syntax.Name, syntax.Expression, syntax.List | None]:
    match clause:
        case syntax.Relation(left=syntax.Name() as name, operator="=", right=value):
            return name, value, None
        case syntax.Unknown(target=syntax.Name() as name, start=value, interval=interval):
            return name, value, interval
        case syntax.Unknown(target=target):
            raise fault(
                "P402",
                target.span,
                "unknown fields are for training, which is not available yet",
                "use an unknown number: `C ~ 0.5 in [0.1, 2]`",
            )
        case _:
            raise fault("P113", clause.span, "this is no parameter", "write `name = value`")


def _number(node: syntax.Expression, scope: Scope, numbers: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    value = constant(node, scope).subs(dict(numbers))
    if not value.is_number or not value.is_finite or value.is_real is False:
        raise fault("P112", node.span, "the value of a parameter is a finite real number", "write a number")
    return value


def space(module: syntax.Module, scope: Scope, report: Report) -> tuple[Axis, ...]:
    found: list[Axis] = []
    for clause in clauses(module, "space"):
        try:
            axis = _axis(clause, scope)
        except Fault as error:
            report.add(error.diagnostic)
            continue
        found.append(axis)
    if len(found) > AXES:
        report.error(
            "P402",
            found[AXES].span,
            f"there are {len(found)} space axes, and grids have at most {AXES}",
            help="more axes are for residuals of networks, which are not available yet",
        )
    return tuple(found[:AXES])


def time(module: syntax.Module, scope: Scope, report: Report) -> Axis | None:
    found: list[Axis] = []
    for clause in clauses(module, "time"):
        try:
            axis = _axis(clause, scope)
        except Fault as error:
            report.add(error.diagnostic)
            continue
        if axis.periodic:
            report.error("P314", clause.span, "time cannot be periodic", help="remove `periodic`")
        found.append(axis)
    if len(found) > 1:
        report.error("P314", found[1].span, "there is more than one time axis", help="keep one")
    return found[0] if found else None


def _axis(clause: syntax.Clause, scope: Scope) -> Axis:
    match clause:
        case syntax.Domain(target=syntax.Name() as name, interval=interval, qualifier=qualifier):
            pass
        case syntax.Domain(target=syntax.Item() as item):
            raise fault(
                "P402",
                item.span,
                "an indexed family of axes is for residuals of networks, which are not available yet",
                "declare up to three axes by name",
            )
        case syntax.Inside():
            raise fault(
                "P402",
                clause.span,
                "regions cut out by `inside` are not available yet",
                "use a box: one interval per axis",
            )
        case _:
            raise fault("P113", clause.span, "this is no axis", "write `x in [0, 1]`")
    if name.id == "n":
        raise fault(
            "P107",
            name.span,
            "an axis cannot be called `n`: `dn` is the normal derivative",
            "choose another name",
        )
    if qualifier is not None and qualifier.id != "periodic":
        raise fault(
            "P107",
            qualifier.span,
            f"`{qualifier.id}` says nothing about an axis",
            "write `periodic`, or nothing for an axis with two ends",
        )
    if len(interval.items) != 2:
        raise fault("P314", interval.span, "an interval has two ends", "write `[lowest, highest]`")
    lower, upper = (constant(item, scope) for item in interval.items)
    nominal = {p.symbol: p.value for p in scope.entities.values() if isinstance(p, Parameter)}
    low, high = lower.subs(nominal), upper.subs(nominal)
    if not (low.is_finite and high.is_finite and low.is_real and high.is_real):
        raise fault(
            "P314", interval.span, "an interval has finite real ends", "cut the domain at a large number"
        )
    if not bool(low < high):
        raise fault(
            "P314",
            interval.span,
            f"this interval is empty: its lower end {low} is not below its upper end {high}",
            "write the smaller end first",
        )
    symbol = sp.Symbol(name.id, real=True)
    return Axis(name.id, symbol, lower, upper, qualifier is not None, name.span)


def check_axis_names(axes: Iterable[Axis], report: Report) -> None:
    """An axis whose name is made of others' would make `dxx` mean two things."""
    axes = tuple(axes)
    for axis in axes:
        others = tuple(a.name for a in axes if a is not axis)
        if splits(axis.name, others):
            report.error(
                "P108",
                axis.span,
                f"the axis name `{axis.name}` is made of other axis names",
                help="rename it, so that derivative suffixes are read in one way",
            )


def fields(
    module: syntax.Module, axes: tuple[Axis, ...], time_axis: Axis | None, report: Report
) -> tuple[Field, ...]:
    arguments = tuple(a.symbol for a in axes) + ((time_axis.symbol,) if time_axis else ())
    found: list[Field] = []
    block = module.block("fields")
    for statement in block.statements if block else ():
        targets = statement.where or statement.clauses
        words = tuple(
            word
            for clause in (statement.clauses if statement.where else ())
            for word in (clause.id.split() if isinstance(clause, syntax.Name) else [""])
        )
        strange = [w for w in words if w not in ("scalar", "vector", "complex", "real")]
        if strange:
            report.error(
                "P111",
                statement.clauses[0].span,
                f"`{report.source.slice(statement.clauses[0].span)}` is no kind of field",
                help="write `scalar`, `vector`, `complex` or `complex vector`",
            )
            continue
        for target in targets:
            if not isinstance(target, syntax.Name):
                report.error("P113", target.span, "this is no field name", help="write `u` or `U: vector`")
                continue
            found.append(_field(target, "vector" in words, "complex" in words, axes, arguments))
    return tuple(found)


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


def definitions(module: syntax.Module, report: Report) -> tuple[Definition, ...]:
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
                report.error(
                    "P113", clause.span, "this is no definition", help="write `name = ...` or `f(s) = ...`"
                )
    return tuple(found)
