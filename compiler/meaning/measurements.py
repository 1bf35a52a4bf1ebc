"""`data`: measurements in files beside the spec, checked before anything runs."""

import csv
from pathlib import Path

import sympy as sp

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.meaning.expressions import constant, scalar
from nablax.meaning.headers import separators
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, fault, reported
from nablax.meaning.within import inside_folder
from nablax.problem import Axis, Measurement


def measurements(
    module: syntax.Module, scope: Scope, folder: Path | None, report: Report
) -> tuple[Measurement, ...]:
    """`sensors = csv("file.csv", at=[x, t], value=u, sigma=0.01)`; the file needs a column per axis
    and one of values, which is called as the quantity is, or is the only one left."""
    found: dict[str, Measurement] = {}
    block = module.block("data")
    for statement in block.statements if block else ():
        for clause in statement.clauses:
            try:
                measurement = _measurement(clause, scope, folder)
            except Fault as error:
                error.tell(report)
                continue
            if measurement.name in found:
                report.error(
                    "P102",
                    clause.span,
                    f"two measurements are called `{measurement.name}`",
                    label="second one",
                    notes=(Note("the first one", found[measurement.name].span),),
                    help="rename one of them",
                )
            found[measurement.name] = measurement
    return tuple(found.values())


_FORM = 'write `csv("file.csv", at=[x, t], value=u)`'


def _measurement(clause: syntax.Clause, scope: Scope, folder: Path | None) -> Measurement:
    match clause:
        case syntax.Relation(left=syntax.Name() as name, operator="=", right=syntax.Call() as call) if (
            call.function.id == "csv"
        ):
            pass
        case syntax.Relation(right=right):
            raise fault("P501", right.span, "measurements come from a file with `csv`", _FORM)
        case _:
            raise reported()
    positional = [a for a in call.arguments if a.name is None]
    named = {a.name.id: a for a in call.arguments if a.name is not None}
    if len(positional) != 1 or not isinstance(positional[0].value, syntax.String):
        raise fault("P105", call.span, "`csv` begins with a file name in quotes", _FORM)
    for key in named:
        if key not in ("at", "value", "sigma"):
            raise fault(
                "P105", named[key].span, f"`csv` has no option `{key}`", "its options are at, value, sigma"
            )
    at, value = named.get("at"), named.get("value")
    if at is None or value is None:
        missing = "at" if at is None else "value"
        raise fault("P105", call.span, f"`csv` has no `{missing}`", _FORM)
    if not isinstance(at.value, syntax.List):
        raise fault("P105", at.value.span, "`at` is a list of axes", "write `at=[x, t]`")
    columns = [_coordinate(item, scope) for item in at.value.items]
    quantity, measured = _quantity(value, scope)
    sigma = _sigma(named["sigma"], scope) if "sigma" in named else None
    text = positional[0].value
    path = inside_folder(folder, text, _FORM)
    header = _header(path, text)
    rest = [c for c in header if c not in {name for name, _ in columns}]
    if quantity not in header and len(rest) == 1:
        (quantity,) = rest  # nothing else can be meant
    for column, span in (*columns, (quantity, value.value.span)):
        if column not in header:
            raise fault(
                "P502",
                span,
                f"`{text.value}` has no column `{column}`",
                separators(header)
                or f"rename one of its columns: {', '.join(f'`{c}`' for c in header) or 'it has none'}",
                label="no such column",
            )
    return Measurement(
        name.id, str(path), tuple(c for c, _ in columns), quantity, clause.span, measured, sigma
    )


def _coordinate(item: syntax.Expression, scope: Scope) -> tuple[str, Span]:
    if isinstance(item, syntax.Name) and isinstance(scope.entities.get(item.id), Axis):
        return item.id, item.span
    names = ", ".join(f"`{a.name}`" for a in scope.all_axes)
    raise fault(
        "P109",
        item.span,
        f"`{scope.source.slice(item.span).strip()}` is not an axis",
        f"`at` lists the axes that locate a measurement: {names}",
        label="an axis is wanted here",
    )


def _quantity(value: syntax.Argument, scope: Scope) -> tuple[str, sp.Expr]:
    """The measured quantity, a field or a component; its text is the name of the column."""
    if not isinstance(value.value, syntax.Name | syntax.Component):
        raise fault(
            "P501",
            value.value.span,
            "the measured quantity is a field or a component",
            "write `value=u` or `value=U.x`",
        )
    measured = scalar(value.value, scope.at("equations"))
    return scope.source.slice(value.value.span).strip(), measured


def _sigma(sigma: syntax.Argument, scope: Scope) -> sp.Expr:
    node = sigma.value
    if isinstance(node, syntax.Relation | syntax.Inside | syntax.Domain | syntax.Unknown):
        raise fault("P105", node.span, "`sigma` is a number", "write `sigma=0.01`")
    value = constant(node, scope)
    if not value.subs(scope.nominal).is_positive:
        raise fault(
            "P501", node.span, "the standard error of a measurement is positive", "write `sigma=0.01`"
        )
    return value


def _header(path: Path, node: syntax.String) -> tuple[str, ...]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            row = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise fault(
            "P501", node.span, f"`{node.value}` cannot be read: {reason}", "check the name of the file"
        ) from None
    return tuple(cell.strip() for cell in row)
