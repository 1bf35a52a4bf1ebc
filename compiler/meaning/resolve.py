"""Syntax to problem: declare the names, then read every statement with them."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Source
from nablax.geometry import Geometry
from nablax.limits import WRITTEN_PARTS
from nablax.meaning import declarations, options, statements
from nablax.meaning.arrays import array_functions
from nablax.meaning.axes import check_axis_names, space_axes, time_axis
from nablax.meaning.boundary import read_boundary
from nablax.meaning.expressions import evaluate
from nablax.meaning.given import NOWHERE, Given, parse_values
from nablax.meaning.measurements import measurements
from nablax.meaning.regions import read_cuts
from nablax.meaning.scope import Definition, Entity, Failed, Scope
from nablax.meaning.values import Fault
from nablax.meaning.weights import definition_weights, weigh
from nablax.overrides import Overrides
from nablax.problem import Coefficient, Field, Parameter, Problem


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
    values = parse_values(overrides.parameters, "set", report, overrides.swept)
    replaced = parse_values(overrides.solve, "solve", report)
    retrained = parse_values(overrides.train, "train", report)
    system = declarations.coordinates(module)
    written = declarations.check_definitions(declarations.definitions(module), report)
    bare = Scope(
        source,
        Geometry(system, ()),
        (),
        None,
        {d.name: d for d in written},
        "constant",
        elsewhere=declarations.everything(module),
        incomplete=_incomplete(module, report),
        folder=folder,
    )
    parameters, known = declarations.parameters(module, bare, values, report)
    constants = replace(bare, entities=known)
    axes = space_axes(module, constants, system, report)
    time = time_axis(module, constants, report)
    check_axis_names((*axes, *((time,) if time else ())), report)
    declared = declarations.fields(module, axes, time, report)
    fields = tuple(f for f in declared if isinstance(f, Field))
    for entity in (*axes, *((time,) if time else ()), *declared, *_repeated(module, known)):
        declarations.declare(entity.name, entity.span, known, entity, report)
    sizes = tuple(a.size for a in axes)
    geometry = Geometry(system, tuple(a.symbol for a in axes), sizes)
    scope = Scope(source, geometry, axes, time, known, "let", incomplete=bare.incomplete, folder=folder)
    unknown = declarations.coefficients(module, scope, report)
    _check_given(values, {"solve": replaced, "train": retrained}, parameters, unknown, module, report)
    for coefficient in unknown:
        declarations.declare(coefficient.name, coefficient.span, known, coefficient, report)
    solve = options.options(module, "solve", scope, replaced, report)
    arrays = array_functions(solve, written, scope, report)
    known |= {c.name: c for c in arrays}
    if not axes or not declared:
        # Without them every statement would raise errors of its own.
        module = replace(module, blocks=())
    module = _without_giants(module, report)
    _check_names(written, scope, report)
    cuts = read_cuts(module, scope, report)
    walls, edges = read_boundary(module, scope, cuts, report)
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
        boundary=walls,
        expectations=statements.expectations(module, scope, report),
        solve=solve,
        output=options.options(module, "output", scope, {}, report),
        train=options.options(module, "train", scope, retrained, report),
        data=measurements(module, scope, folder, report),
        span=module.span,
        coefficients=tuple(c for c in unknown if isinstance(c, Coefficient)),
        arrays=arrays,
        cuts=cuts or (),
        edges=edges,
    )


def _incomplete(module: syntax.Module, report: Report) -> bool:
    """Whether a declaration could not be read: names it declares would seem unknown."""
    places = [block.span for name in _DECLARING if (block := module.block(name)) is not None]
    return any(place.contains(d.span) for d in report.diagnostics for place in places)


_DECLARING = ("space", "time", "fields", "params", "let")


def _check_given(
    values: Mapping[str, Given],
    replaced: Mapping[str, Mapping[str, Given]],
    parameters: tuple[Parameter, ...],
    unknown: tuple[Coefficient | Failed, ...],
    module: syntax.Module,
    report: Report,
) -> None:
    """Values from outside for names that the spec and the language do not have."""
    declared = {e.name for e in declarations.everything(module) if e.kind == "a parameter"}
    for name, given in values.items():
        if name not in declared:
            known = ", ".join(p.name for p in parameters) or "none"
            report.error(
                "P114",
                NOWHERE,
                f"`{given.text}` names no parameter of the spec",
                given=given.text,
                help=f"the parameters are: {known}",
            )
        elif any(c.name == name for c in unknown):
            report.error(
                "P114",
                NOWHERE,
                f"`{given.text}` sets an unknown field, which is no number",
                given=given.text,
                help=f"change its start value in the spec: `{name}(...) ~ ...`",
            )
    for block, options_given in replaced.items():
        known_options = options.KNOWN[block]
        for name, given in options_given.items():
            if name not in known_options:
                similar = get_close_matches(name, known_options, n=1)
                report.error(
                    "P404",
                    NOWHERE,
                    f"`{name}` is no option of `{block}`",
                    given=given.text,
                    help=f"did you mean `{similar[0]}`?"
                    if similar
                    else f"the options are {', '.join(known_options)}",
                )


def _repeated(module: syntax.Module, known: Mapping[str, Entity]) -> tuple[Definition, ...]:
    """Definitions that share their name with another one or with a parameter."""
    return tuple(
        d
        for d in declarations.definitions(module)
        if (first := known.get(d.name)) is None or first.span != d.span
    )


def _without_giants(module: syntax.Module, report: Report) -> syntax.Module:
    """The module without statements that definitions blow up beyond the limit."""
    weights = definition_weights(declarations.definitions(module))
    blocks: list[syntax.Block] = []
    for block in module.blocks:
        kept: list[syntax.Statement] = []
        for statement in block.statements:
            if block.name.id != "let" and weigh(statement, weights).own > WRITTEN_PARTS:
                report.error(
                    "P316",
                    statement.span,
                    f"this statement has more than {WRITTEN_PARTS:,} parts with its definitions written out",
                    help="shorten the definitions that it uses",
                )
            else:
                kept.append(statement)
        blocks.append(replace(block, statements=tuple(kept)))
    return replace(module, blocks=tuple(blocks))


def _check_names(written: tuple[Definition | Failed, ...], scope: Scope, report: Report) -> None:
    """Unknown names of definitions without arguments, also of those that nothing uses."""
    for definition in written:
        if isinstance(definition, Definition) and definition.parameters is None:
            try:
                evaluate(definition.body, scope.expand(definition, ()))
            except Fault as error:
                if error.diagnostic is not None and error.diagnostic.code in ("P101", "P104", "P106"):
                    error.tell(report)
