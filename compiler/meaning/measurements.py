"""`data`: measurements in files beside the spec, checked before anything runs."""

import csv
from pathlib import Path

from nablax.frontend import syntax
from nablax.frontend.diagnostics import Report
from nablax.meaning.scope import Scope
from nablax.meaning.values import Fault, fault
from nablax.problem import Axis, Measurement


def measurements(
    module: syntax.Module, scope: Scope, folder: Path | None, report: Report
) -> tuple[Measurement, ...]:
    """`sensors = csv("file.csv", at=[x, t], value=u, sigma=0.01)`; the file needs a column per name."""
    found: list[Measurement] = []
    block = module.block("data")
    for statement in block.statements if block else ():
        for clause in statement.clauses:
            try:
                found.append(_measurement(clause, scope, folder))
            except Fault as error:
                report.add(error.diagnostic)
    return tuple(found)


def _measurement(clause: syntax.Clause, scope: Scope, folder: Path | None) -> Measurement:
    match clause:
        case syntax.Relation(left=syntax.Name() as name, operator="=", right=syntax.Call() as call) if (
            call.function.id == "csv"
        ):
            pass
        case _:
            raise fault(
                "P113",
                clause.span,
                "this is no measurement",
                'write `sensors = csv("file.csv", at=[x, t], value=u)`',
            )
    positional = [a for a in call.arguments if a.name is None]
    named = {a.name.id: a for a in call.arguments if a.name is not None}
    if len(positional) != 1 or not isinstance(positional[0].value, syntax.String):
        raise fault(
            "P501", call.span, "`csv` begins with a file name in quotes", 'write `csv("file.csv", ...)`'
        )
    for key in named:
        if key not in ("at", "value", "sigma"):
            raise fault("P105", named[key].span, f"`csv` has no option `{key}`", "use at, value, sigma")
    at, value = named.get("at"), named.get("value")
    if at is None or value is None or not isinstance(at.value, syntax.List):
        raise fault("P501", call.span, "`csv` needs `at` and `value`", "write `at=[x, t], value=u`")
    columns = []
    for item in at.value.items:
        if not isinstance(item, syntax.Name) or not isinstance(scope.entities.get(item.id), Axis):
            raise fault("P109", item.span, "`at` lists axes", "name the axes that locate a measurement")
        columns.append((item.id, item.span))
    quantity = scope.source.slice(value.value.span).strip()
    columns.append((quantity, value.value.span))
    text = positional[0].value
    path = _inside(folder, text.value, text)
    header = _header(path, text)
    for column, span in columns:
        if column not in header:
            raise fault(
                "P502",
                span,
                f"`{text.value}` has no column `{column}`",
                f"its columns are {', '.join(header)}",
            )
    return Measurement(name.id, str(path), tuple(c for c, _ in columns[:-1]), quantity, clause.span)


def _inside(folder: Path | None, name: str, node: syntax.String) -> Path:
    if folder is None:
        raise fault(
            "P501", node.span, "a spec without a folder cannot name files", "save the spec beside its data"
        )
    root = folder.resolve()
    path = (root / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(root):
        raise fault(
            "P503",
            node.span,
            f"`{name}` lies outside the folder of the spec",
            "move the file beside the spec and name it without `..`",
        )
    return path


def _header(path: Path, node: syntax.String) -> tuple[str, ...]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            row = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise fault(
            "P501", node.span, f"`{node.value}` cannot be read: {reason}", "check the name of the file"
        ) from None
    return tuple(cell.strip() for cell in row)
