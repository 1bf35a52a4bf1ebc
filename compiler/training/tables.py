"""The tables of `data`, read and checked: every cell a finite number, every place in the domain."""

import csv
from pathlib import Path

import numpy as np

from nablax.frontend.diagnostics import Report
from nablax.problem import Measurement, Problem
from nablax.region import holds, nominal
from nablax.sampling import sample


def check_tables(problem: Problem, report: Report) -> None:
    """Say of every table what is wrong with it (P558)."""
    for table in problem.data:
        _read(problem, table, report)


def read_table(problem: Problem, name: str) -> dict[str, np.ndarray]:
    """Columns [rows] of a table: the axes by name, and `value`. Raises `SpecError` (P558)."""
    table = next(t for t in problem.data if t.name == name)
    report = Report(problem.source)
    columns = _read(problem, table, report)
    report.check()
    return columns


def relative_errors(problem: Problem) -> dict[str, float]:
    """`sigma` over the root mean square of the values, of the tables that have one and can be read."""
    nominal = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    found = {}
    for table in problem.data:
        columns = _columns(problem, table, Report(problem.source))
        size = float(np.sqrt(np.mean(columns["value"] ** 2))) if columns else 0.0
        if table.sigma is not None and size > 0:
            found[table.name] = float(sample(table.sigma, nominal)) / size
    return found


def _read(problem: Problem, table: Measurement, report: Report) -> dict[str, np.ndarray]:
    columns = _columns(problem, table, report)
    if columns:
        _check_inside(problem, table, columns, report)
    return columns


def _columns(problem: Problem, table: Measurement, report: Report) -> dict[str, np.ndarray]:
    axes = problem.axes if problem.time is None else (*problem.axes, problem.time)
    missing = [a.name for a in axes if a.name not in table.axes or a.size is not None]
    if missing:
        _refuse(report, table, f"`at` lacks the axis {', '.join(missing)}", "list every axis, time included")
        return {}
    name = Path(table.path).name
    wanted = {**{axis: axis for axis in table.axes}, "value": table.quantity}
    found: dict[str, list[float]] = {key: [] for key in wanted}
    try:
        with open(table.path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True)
            places = {cell.strip(): i for i, cell in enumerate(next(reader, []))}
            for row in reader:
                for key, column in wanted.items():
                    cell = row[places[column]] if places[column] < len(row) else ""
                    found[key].append(_number(cell))
                    if not np.isfinite(found[key][-1]):
                        message = f"line {reader.line_num} of `{name}` has no finite number in `{column}`"
                        _refuse(report, table, f"{message}: `{cell[:40]}`", "mend the line, or remove it")
                        return {}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError):
        _refuse(report, table, f"`{name}` cannot be read any more", "check the name of the file")
        return {}
    if not found["value"]:
        message = f"`{name}` holds no measurements"
        _refuse(report, table, message, "add a line below the names of the columns")
        return {}
    return {key: np.asarray(column) for key, column in found.items()}


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _check_inside(
    problem: Problem, table: Measurement, columns: dict[str, np.ndarray], report: Report
) -> None:
    values = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    for axis in problem.axes if problem.time is None else (*problem.axes, problem.time):
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        slack = 1e-9 * (high - low)
        column = columns[axis.name]
        outside = (column < low - slack) | (column > high + slack)
        if not axis.periodic and outside.any():
            row = int(np.argmax(outside))
            _refuse(
                report,
                table,
                f"measurement {row + 1} of `{Path(table.path).name}` lies outside the domain: {axis.name} = "
                f"{column[row]:g} is not in [{low:g}, {high:g}]",
                "remove the line, or widen the axis",
            )

    places = nominal(problem.parameters) | {a.symbol: columns[a.name] for a in problem.axes}
    for cut in problem.cuts:
        held = np.broadcast_to(holds([cut], places), columns["value"].shape)
        if not held.all():
            row = int(np.argmin(held))
            _refuse(
                report,
                table,
                f"measurement {row + 1} of `{Path(table.path).name}` lies outside the region: not "
                f"`{' '.join(problem.source.slice(cut.span).split())}`",
                "remove the line, or widen the region",
            )


def _refuse(report: Report, table: Measurement, message: str, help: str) -> None:
    report.error("P558", table.span, message, help=help)
