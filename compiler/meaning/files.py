"""`file("u0.npy")`: values in a file beside the spec, as a function of coordinates.

    file("u0.npy")                     NumPy: one value a grid point, the axes in declared order
    file("u0.npy", at=[y])             a function of these axes only, time among them
    file("run.zarr", "u")              zarr or netCDF: a variable, with the coordinates of its dimensions
    file("k.csv")                      a column per axis and one for the values, in any order of rows
    file(..., kind=linear)             between the points: cubic splines if left out

A NumPy file has no coordinates: it spans every axis evenly, both ends included, the upper one left out
where the axis is periodic. Of a variable that depends on time the last frame is taken.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp

from nablax.frontend import syntax
from nablax.meaning.headers import separators
from nablax.meaning.scope import Scope
from nablax.meaning.values import fault
from nablax.meaning.within import inside_folder
from nablax.problem import Axis
from nablax.tables import Tabulated, tabulated

if TYPE_CHECKING:
    import xarray

DIGITS = 1e-3  # of a spacing: as far as a place may be off that is written with few digits

FORM = 'write `file("u0.npy")`, `file("run.zarr", "u")` or `file("k.csv")`'
SUFFIXES = (".npy", ".csv", ".nc", ".zarr")
KINDS = ("cubic", "linear")
MOST_VALUES = 1 << 25
MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class _Found:
    """Values of shape (points of each axis) with coordinates, None where the file has none."""

    values: np.ndarray
    axes: tuple[Axis, ...]
    points: tuple[np.ndarray | None, ...]


def file_value(node: syntax.Call, scope: Scope) -> sp.Expr:
    """The function that a `file(...)` stands for. Raises a `Fault` for what the file does not give."""
    texts = [a.value for a in node.arguments if a.name is None]
    named = {a.name.id: a.value for a in node.arguments if a.name is not None}
    strings = [t for t in texts if isinstance(t, syntax.String)]
    if not 1 <= len(texts) <= 2 or len(strings) < len(texts):
        raise fault("P105", node.span, "`file` takes the name of a file in quotes, and of a variable", FORM)
    for key, value in named.items():
        if key not in ("at", "kind"):
            raise fault("P105", value.span, f"`file` has no option `{key}`", "its options are at and kind")
    if scope.role == "constant":
        raise fault("P311", node.span, "a constant cannot depend on a file", "use it in a definition (`let`)")
    kind = _kind(named.get("kind"))
    wanted = _axes(named.get("at"), scope)
    text, variable = strings[0], strings[1] if len(strings) > 1 else None
    path = inside_folder(scope.folder, text, FORM)
    try:
        found = _read(path, text, variable, wanted, scope)
    except (OSError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be read"
        lower = f"{reason[:1].lower()}{reason[1:]}"
        raise fault("P501", text.span, f"`{text.value}` cannot be read: {lower}", "check the name") from None
    return _function(found, text, kind, scope)


def _kind(value: syntax.Clause | None) -> str:
    if value is None:
        return "cubic"
    if isinstance(value, syntax.Name) and value.id in KINDS:
        return value.id
    raise fault("P105", value.span, "`kind` is `cubic` or `linear`", "write `kind=linear`, or leave it out")


def _axes(value: syntax.Clause | None, scope: Scope) -> tuple[Axis, ...] | None:
    if value is None:
        return None
    names = {a.name: a for a in scope.all_axes}
    if isinstance(value, syntax.List):
        chosen = [names.get(i.id) if isinstance(i, syntax.Name) else None for i in value.items]
        found = tuple(a for a in chosen if a is not None)
        if found and len(found) == len(value.items) == len(set(found)):
            return found
    listed = ", ".join(f"`{n}`" for n in names)
    raise fault("P109", value.span, "`at` is a list of axes", f"write `at=[x]`; the axes are {listed}")


def _read(
    path: Path,
    text: syntax.String,
    variable: syntax.String | None,
    wanted: tuple[Axis, ...] | None,
    scope: Scope,
) -> _Found:
    suffix = path.suffix
    if suffix not in SUFFIXES:
        raise fault("P501", text.span, f"`{text.value}` is of no kind that is read", FORM)
    if not path.exists():
        raise fault("P501", text.span, f"there is no `{text.value}` beside the spec", "check the name")
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise fault("P505", text.span, f"`{text.value}` is larger than 1 GiB", "store fewer points")
    if suffix == ".npy":
        if variable is not None:
            raise fault("P105", variable.span, "a `.npy` file holds one array, without a name", FORM)
        return _from_numpy(path, text, wanted or scope.axes)
    if suffix == ".csv":
        return _from_table(path, text, variable, wanted or scope.axes)
    return _from_dataset(path, text, variable, wanted, scope)


def _from_numpy(path: Path, text: syntax.String, axes: tuple[Axis, ...]) -> _Found:
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        pickled = "allow_pickle" in str(error)
        why = "it holds pickled objects" if pickled else "it is no array of NumPy"
        help = "save numbers: `numpy.save(name, array)`"
        raise fault("P506", text.span, f"`{text.value}` is not read: {why}", help) from None
    if not isinstance(values, np.ndarray):
        values.close()
        raise fault("P506", text.span, f"`{text.value}` is not read: it is an archive of arrays", FORM)
    if values.ndim != len(axes):
        listed = ", ".join(a.name for a in axes)
        raise fault(
            "P505",
            text.span,
            f"`{text.value}` has the shape {_shape(values)}, and there {_count(len(axes))}: {listed}",
            "give one dimension per axis, or name the axes it has with `at=[x]`",
        )
    return _Found(values, axes, (None,) * len(axes))


def _from_table(
    path: Path, text: syntax.String, variable: syntax.String | None, axes: tuple[Axis, ...]
) -> _Found:
    import csv

    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error):
        raise fault("P506", text.span, f"`{text.value}` is no table in UTF-8", FORM) from None
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    names = [a.name for a in axes]
    rest = [c for c in header if c not in names]
    column = variable.value if variable is not None else rest[0] if len(rest) == 1 else ""
    missing = next((c for c in (*names, column) if c not in header), None)
    if missing is not None:
        listed = ", ".join(f"`{c}`" for c in header)
        what = f"has no column `{missing}`" if missing else "has no single column of values"
        names_of_columns = f"its first line names the columns {listed}" if listed else "the file is empty"
        help = separators(header) or names_of_columns
        raise fault("P502", text.span, f"`{text.value}` {what}", help)
    wanted = [header.index(c) for c in (*names, column)]
    numbers = np.array([[_number(line, row, k, header, text) for k in wanted] for line, row in lines[1:]])
    numbers = numbers.reshape(-1, len(wanted))
    points = [np.unique(numbers[:, k]) for k in range(len(names))]
    shape = tuple(len(p) for p in points)
    at = tuple(np.searchsorted(p, numbers[:, k]) for k, p in enumerate(points))
    if (
        not numbers.size
        or len(numbers) != int(np.prod(shape))
        or len(set(zip(*at, strict=True))) != len(numbers)
    ):
        raise fault(
            "P505",
            text.span,
            f"the {len(numbers)} rows of `{text.value}` are no grid of {' x '.join(map(str, shape))}",
            "give one row for every combination of coordinates",
        )
    values = np.empty(shape)
    values[at] = numbers[:, -1]
    return _Found(values, axes, tuple(points))


def _number(line: int, row: list[str], column: int, header: list[str], text: syntax.String) -> float:
    """The number in a cell of a table."""
    cell = row[column].strip() if column < len(row) else ""
    try:
        return float(cell)
    except ValueError:
        what = f"`{cell}`, which is no number," if cell else "nothing"
        raise fault(
            "P506",
            text.span,
            f"`{text.value}` holds {what} in line {line}, column `{header[column]}`",
            "write a number there, or leave the line out",
        ) from None


def _from_dataset(
    path: Path,
    text: syntax.String,
    variable: syntax.String | None,
    wanted: tuple[Axis, ...] | None,
    scope: Scope,
) -> _Found:
    import xarray

    try:
        data: xarray.Dataset = (
            xarray.open_zarr(path) if path.suffix == ".zarr" else xarray.open_dataset(path, engine="h5netcdf")
        )
    except Exception as error:  # whatever a stranger's file makes the readers raise
        why = f"it is no dataset ({type(error).__name__})"
        raise fault("P506", text.span, f"`{text.value}` is not read: {why}", FORM) from None
    with data:
        names = [str(n) for n in data.data_vars]
        listed = ", ".join(f"`{n}`" for n in names) or "it has none"
        if variable is None and len(names) != 1:
            help = f'name one: `file("{text.value}", "{names[0] if names else "u"}")`; there are: {listed}'
            raise fault("P502", text.span, f"`{text.value}` has {len(names)} variables", help)
        name = variable.value if variable is not None else names[0]
        if name not in names:
            where = variable.span if variable is not None else text.span
            raise fault("P502", where, f"`{text.value}` has no variable `{name}`", f"there are: {listed}")
        return _from_variable(data[name], text, wanted, scope)


def _from_variable(
    variable: "xarray.DataArray", text: syntax.String, wanted: tuple[Axis, ...] | None, scope: Scope
) -> _Found:
    known = {a.name: a for a in (wanted or scope.axes)}
    for dim in [str(d) for d in variable.dims if str(d) not in known]:
        is_time = scope.time is not None and dim == scope.time.name
        if variable.sizes[dim] != 1 and not (is_time or dim in ("t", "time")):
            listed = ", ".join(f"`{a.name}`" for a in scope.all_axes)
            raise fault(
                "P505",
                text.span,
                f"`{text.value}` depends on `{dim}`, which is no axis here",
                f"rename or select its dimensions: the axes are {listed}",
            )
        if not variable.sizes[dim]:
            raise fault("P505", text.span, f"`{text.value}` has no frame", "run it to its first frame")
        variable = variable.isel({dim: -1})
    axes = tuple(a for a in known.values() if a.name in variable.dims)
    if wanted and len(axes) < len(wanted):
        lost = next(a.name for a in wanted if a not in axes)
        raise fault("P505", text.span, f"`{text.value}` does not depend on `{lost}`", "mend the list `at`")
    variable = variable.transpose(*(a.name for a in axes))
    if variable.size > MOST_VALUES:
        raise fault("P505", text.span, f"`{text.value}` holds {variable.size} values", "store fewer points")
    points = tuple(
        np.asarray(variable[a.name].values, float) if a.name in variable.coords else None for a in axes
    )
    return _Found(np.asarray(variable.values), axes, points)


def _function(found: _Found, text: syntax.String, kind: str, scope: Scope) -> sp.Expr:
    """The spline through what was found, its coordinates checked."""
    values, name = found.values, text.value
    if values.dtype.kind not in "fiubc":
        raise fault("P506", text.span, f"`{name}` holds no numbers", "save an array of numbers")
    if values.size > MOST_VALUES:
        raise fault("P505", text.span, f"`{name}` holds {values.size} values", "store fewer points")
    if not np.isfinite(values).all():
        where = np.unravel_index(int(np.argmin(np.isfinite(values))), values.shape)
        place = ", ".join(str(int(i)) for i in where)
        message = f"`{name}` holds a value that is not finite, at index ({place})"
        raise fault("P506", text.span, message, "replace what is missing")
    if not found.axes:
        number = complex(values)
        return sp.Float(number.real) + (sp.I * sp.Float(number.imag) if number.imag else 0)
    points, periods = [], []
    for axis, given, count in zip(found.axes, found.points, values.shape, strict=True):
        if count < 2:
            raise fault("P505", text.span, f"`{name}` has one point along {axis.name}", "give at least two")
        low, high = (float(e.subs(scope.nominal)) for e in (axis.lower, axis.upper))
        points.append(_spread(axis, low, high, count) if given is None else given)
        periods.append(high - low if axis.periodic else None)
    order = [np.argsort(p) for p in points]
    values = values[np.ix_(*order)]
    points = [p[o] for p, o in zip(points, order, strict=True)]
    for axis, p in zip(found.axes, points, strict=True):
        _check_points(axis, p, text, scope)
    cut = tuple(
        slice(0, -1) if _closed(a, p, scope) else slice(None) for a, p in zip(found.axes, points, strict=True)
    )
    values = values[cut]
    points = [p[c] for p, c in zip(points, cut, strict=True)]
    places = tuple(a.symbol for a in found.axes)

    def function(part: np.ndarray) -> sp.Expr:
        return Tabulated(tabulated(name, kind, points, part, periods), *places)

    if np.any(np.imag(values)):
        return function(values.real) + sp.I * function(values.imag)
    return function(np.real(values))


def _spread(axis: Axis, low: float, high: float, count: int) -> np.ndarray:
    return np.linspace(low, high, count, endpoint=not axis.periodic)


def _closed(axis: Axis, points: np.ndarray, scope: Scope) -> bool:
    """Whether the upper end of a periodic axis is given again."""
    length = float((axis.upper - axis.lower).subs(scope.nominal))
    return axis.periodic and bool(points[-1] - points[0] > length * (1 - 1e-9))


def _check_points(axis: Axis, points: np.ndarray, text: syntax.String, scope: Scope) -> None:
    """The coordinates reach over the axis, between walls to within half a spacing, as centres of cells do."""
    low, high = (float(e.subs(scope.nominal)) for e in (axis.lower, axis.upper))
    steps = np.diff(points)
    if not np.isfinite(points).all() or not (steps > 0).all():
        message = f"the coordinates of `{text.value}` along {axis.name} repeat or are not finite"
        raise fault("P505", text.span, message, "give every place once")
    first, last = float(points[0]), float(points[-1])
    if axis.periodic:
        widest, given = float(steps.max()), last - first
        fits = given <= high - low + DIGITS * widest and given + (1 + DIGITS) * widest >= high - low
    else:
        fits = first <= low + (0.5 + DIGITS) * steps[0] and last >= high - (0.5 + DIGITS) * steps[-1]
    if not fits:
        raise fault(
            "P505",
            text.span,
            f"`{text.value}` goes from {first:.6g} to {last:.6g} along {axis.name}, and the axis from "
            f"{low:.6g} to {high:.6g}",
            "give values over the whole axis",
        )


def _shape(values: np.ndarray) -> str:
    return " x ".join(str(n) for n in values.shape) or "of a number"


def _count(n: int) -> str:
    return "is 1 axis" if n == 1 else f"are {n} axes"
