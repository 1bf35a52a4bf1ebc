"""What the `output` block asks for, checked before the run: where to save, which pictures, which movie."""

from pathlib import Path

import sympy as sp

from nablax.backends.output.drawings import KINDS, Drawing, Kind, Requests
from nablax.backends.output.paths import DATA_SUFFIXES, MOVIE_SUFFIXES, OutputError, inside
from nablax.formulate import UnevaluableError
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.outlining import formula_of
from nablax.problem import Field, Option, OptionCall, OptionValue, Problem


def read_requests(problem: Problem, folder: Path, report: Report) -> Requests:
    """Check the `output` options of a spec that lies in `folder`.

    Reports P550 (a path that leaves the folder), P551 (a suffix without a format), P554 (a picture that
    does not exist) and P555 (a picture that does not suit the problem).
    """
    options = {option.name: option for option in problem.output}
    save, movie = options.get("save"), options.get("movie")
    plot = options.get("plot")
    return Requests(
        save=_path(save, folder, DATA_SUFFIXES, report),
        movie=_path(movie, folder, MOVIE_SUFFIXES, report),
        drawings=_drawings(plot, problem, report) if plot is not None else (),
        save_span=save.span if save else None,
        movie_span=movie.span if movie else None,
    )


def _path(option: Option | None, folder: Path, suffixes: tuple[str, ...], report: Report) -> Path | None:
    if option is None:
        return None
    value: object = option.value
    if not isinstance(value, str):
        report.error("P550", option.span, f"`{option.name}` is a path in quotes", help='write it as "out"')
        return None
    try:
        path = inside(folder, value)
    except OutputError as error:
        report.error(
            "P550",
            option.span,
            str(error),
            help="name a file in the spec's folder; the command line's -o may name any",
        )
        return None
    if path.suffix not in suffixes:
        known = " or ".join(f"`{s}`" for s in suffixes)
        report.error(
            "P551",
            option.span,
            f"`{value}` ends in neither {known.replace(' or ', ' nor ')}",
            help=f"end the name in {known}",
        )
        return None
    return path


def _drawings(option: Option, problem: Problem, report: Report) -> tuple[Drawing, ...]:
    value: object = option.value
    values = value if isinstance(value, tuple) else (value,)
    found = (_drawing(v, option.span, problem, report) for v in values)
    return tuple(d for d in found if d is not None)


def _drawing(value: OptionValue, span: Span, problem: Problem, report: Report) -> Drawing | None:
    known = ", ".join(f"`{k}(...)`" for k in KINDS)
    if not isinstance(value, OptionCall) or value.name not in KINDS:
        what = value.name if isinstance(value, OptionCall) else value
        report.error("P554", span, f"`{what}` is no picture", help=f"the pictures are {known}")
        return None
    if len(value.arguments) != 1:
        report.error("P554", span, f"`{value.name}` shows one field", help=f"write `{value.name}(u)`")
        return None
    kind = next(k for k in KINDS if k == value.name)
    at = []
    for name, number in value.options:
        if not any(a.name == name for a in problem.axes) or not _is_number(number):
            report.error("P554", span, f"`{name}` fixes no axis", help="write `slice(u, z=0.5)`")
            return None
        assert isinstance(number, sp.Expr)
        at.append((name, float(number)))
    try:
        drawing = _shown(kind, value.arguments[0], problem, tuple(at))
    except UnevaluableError as error:
        report.error("P555", span, str(error), help="draw fields and what is made of them at one time")
        return None
    if drawing is None:
        report.error("P554", span, f"`{value.arguments[0]}` is no field", help="name a declared field")
        return None
    misfit = _misfit(drawing, problem)
    if misfit:
        report.error("P555", span, misfit, help=f"another picture may suit: {known}")
        return None
    return drawing


def _is_number(value: OptionValue) -> bool:
    return isinstance(value, sp.Expr) and bool(value.is_number and value.is_real)


def _shown(
    kind: Kind, value: OptionValue, problem: Problem, at: tuple[tuple[str, float], ...]
) -> Drawing | None:
    if isinstance(value, str):
        names = {f.name for f in problem.fields} | {c.name for c in problem.components}
        return Drawing(kind, value, at=at) if value in names else None
    if isinstance(value, sp.Expr):
        for component in problem.components:
            if value == component.value:
                return Drawing(kind, component.name, at=at)
        return Drawing(kind, _written(value, problem), formula_of(value, problem), at)
    return None


def _written(value: sp.Expr, problem: Problem) -> str:
    """The expression as a caption: unknowns without their arguments."""
    bare = {c.value: sp.Symbol(c.name) for c in problem.components}
    return str(value.subs(bare))


def _misfit(drawing: Drawing, problem: Problem) -> str:
    dimension = len(problem.axes)
    field = next((f for f in problem.fields if f.name == drawing.field), None)
    vector = isinstance(field, Field) and field.rank == 1
    if drawing.kind == "vectors" and not vector:
        return f"`vectors` shows a vector field, and `{drawing.field}` is none"
    if vector and drawing.kind not in ("vectors", "slice", "heatmap"):
        return f"`{drawing.kind}` shows a scalar, and `{drawing.field}` is a vector"
    least, most = {
        "heatmap": (2, 3),
        "spacetime": (1, 1),
        "lines": (1, 1),
        "vectors": (2, 2),
        "slice": (3, 3),
    }[drawing.kind]
    if not least <= dimension <= most:
        return f"`{drawing.kind}` does not show a problem with {dimension} space axes"
    if drawing.kind == "spacetime" and problem.time is None:
        return "`spacetime` needs time, and this problem is steady"
    unknown = [name for name, _ in drawing.at if all(a.name != name for a in problem.axes)]
    return f"there is no axis `{unknown[0]}`" if unknown else ""
