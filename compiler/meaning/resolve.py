"""Syntax to problem: declare the names, then read every statement with them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse, read_source
from nablax.frontend.source import Source, Span
from nablax.geometry import Geometry
from nablax.meaning import declarations, options, statements
from nablax.meaning.measurements import measurements
from nablax.meaning.scope import Entity, Scope
from nablax.overrides import Overrides
from nablax.problem import Problem


def resolve(
    module: syntax.Module,
    source: Source,
    overrides: Overrides,
    report: Report,
    folder: Path | None = None,
) -> Problem:
    """The problem as far as it has a meaning; what has none is in the report.

    `folder` is where files named by the spec are looked for.
    """
    values = _parse_values(overrides.parameters, "set", report)
    replaced = _parse_values(overrides.solve, "solve", report)
    system = declarations.coordinates(module, report)
    bare = Scope(source, Geometry(system, ()), (), None, {}, "constant")
    parameters = declarations.parameters(module, bare, values, report)
    for name in values:
        if name not in {p.name for p in parameters}:
            known = ", ".join(p.name for p in parameters) or "none"
            report.error(
                "P114",
                module.span,
                f"`--set {name}` names no parameter",
                help=f"the parameters are: {known}",
            )
    for name in replaced:
        if name not in options.KNOWN["solve"]:
            report.error(
                "P404",
                module.span,
                f"`{name}` is no option of `solve`",
                help=f"the options are {', '.join(options.KNOWN['solve'])}",
            )
    known: dict[str, Entity] = {p.name: p for p in parameters}
    constants = Scope(source, bare.geometry, (), None, known, "constant")
    axes = declarations.space(module, constants, report)
    time = declarations.time(module, constants, report)
    declarations.check_axis_names((*axes, *((time,) if time else ())), report)
    fields = declarations.fields(module, axes, time, report)
    for entity in (*axes, *((time,) if time else ()), *fields, *declarations.definitions(module, report)):
        declarations.declare(entity.name, entity.span, known, entity, report)
    geometry = Geometry(system, tuple(a.symbol for a in axes))
    scope = Scope(source, geometry, axes, time, known, "let")
    if not axes or not fields:
        # Without them every statement would raise errors of its own.
        module = replace(module, blocks=())
    return Problem(
        source=source,
        title=module.title.value if module.title else "",
        coordinates=system,
        axes=axes,
        time=time,
        fields=fields,
        parameters=parameters,
        equations=statements.equations(module, scope, report),
        initial=statements.initial(module, scope, report),
        boundary=statements.boundary(module, scope, report),
        expectations=statements.expectations(module, scope, report),
        solve=options.options(module, "solve", scope, replaced, report),
        output=options.options(module, "output", scope, {}, report),
        train=options.options(module, "train", scope, {}, report),
        data=measurements(module, scope, folder, report),
        span=module.span,
    )


def _parse_values(texts: Mapping[str, str], flag: str, report: Report) -> dict[str, syntax.Expression]:
    """Values given outside the text, read by the same parser as the one definition of a `let` block.

    They have no place in the spec: every span is its beginning.
    """
    found: dict[str, syntax.Expression] = {}
    for name, text in texts.items():
        inner = read_source(f"--{flag} {name}", f"let {{ value = {text}\n }}")
        module = parse(inner, Report(inner))
        statements_read = module.block("let") if module else None
        clauses = [c for s in statements_read.statements for c in s.clauses] if statements_read else []
        if (
            module is None
            or len(module.blocks) != 1
            or len(clauses) != 1
            or not isinstance(clauses[0], syntax.Relation)
        ):
            report.error(
                "P114",
                Span(0, 0),
                f"`{name}={text}` has no readable value",
                help="write a number or an expression of the language, such as `2*pi`",
            )
        else:
            found[name] = _displaced(clauses[0].right)
    return found


def _displaced(node: syntax.Expression) -> syntax.Expression:
    """The same expression with every span at the beginning of the spec."""
    nowhere = Span(0, 0)
    match node:
        case syntax.Name() | syntax.Number() | syntax.String():
            return replace(node, span=nowhere)
        case syntax.Negate() | syntax.Absolute():
            return replace(node, operand=_displaced(node.operand), span=nowhere)
        case syntax.Binary():
            return replace(node, left=_displaced(node.left), right=_displaced(node.right), span=nowhere)
        case syntax.List() | syntax.Vector():
            return replace(node, items=tuple(map(_displaced, node.items)), span=nowhere)
        case syntax.Call():
            arguments = tuple(
                replace(a, value=_displaced(a.value), span=nowhere)  # type: ignore[arg-type]
                for a in node.arguments
                if not isinstance(a.value, syntax.Relation)
            )
            function = replace(node.function, span=nowhere)
            return replace(node, function=function, arguments=arguments, span=nowhere)
        case _:
            return replace(node, span=nowhere)
