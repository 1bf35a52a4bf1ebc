"""How problems, plans and runs show themselves in a notebook: HTML with LaTeX, tables and pictures.

Everything that comes from a text of the user's is escaped.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nablax.outline import Outline
    from nablax.pipeline import Stages
    from nablax.plan import Plan


def problem_html(stages: "Stages") -> str:
    """Title, equations as LaTeX, parameters, and the choices made so far."""
    from nablax.show import latex

    assert stages.problem is not None
    problem = stages.problem
    parts = [_title(problem.title or problem.source.name), f"<div>{escape(latex(problem))}</div>"]
    parts.append(
        _table(("parameter", "value"), [(p.name, f"{float(p.value):.6g}") for p in problem.parameters])
    )
    if stages.plan is not None:
        parts.append(plan_html(stages.plan))
    return "".join(parts)


def plan_html(plan: "Plan") -> str:
    """Every numerical choice with its reason, and the grid."""
    rows = [(c.what, c.value, c.reason) for c in plan.choices]
    grid = " × ".join(str(n) for n in plan.shape)
    rows.append(("grid", f"{grid} points", ", ".join(f"{a.name}: {a.spacing:.3g}" for a in plan.grid)))
    return _table(("choice", "value", "reason"), rows)


def _frames(outline: "Outline") -> str:
    if outline.time is None:
        return "one, at rest"
    return f"{len(outline.frames)} from {outline.frames[0]:g} to {outline.frames[-1]:g}"


def artifact_html(outline: "Outline", platforms: Sequence[str]) -> str:
    """What a compiled spec holds."""
    grid = ", ".join(f"{a.name} ∈ [{a.lower:.4g}, {a.upper:.4g}], {a.points} points" for a in outline.grid)
    facts = [
        ("fields", ", ".join(f.name for f in outline.fields)),
        ("grid", grid),
        ("frames", _frames(outline)),
        ("method", f"{outline.method}, {outline.stepping.name}, {outline.dtype}"),
        ("platforms", ", ".join(platforms)),
    ]
    rows = [(p.name, f"{p.value:.6g}", _range(p.interval, p.static)) for p in outline.parameters]
    title = _title(outline.title or outline.source.name)
    return title + _table(("compiled", ""), facts) + _table(("parameter", "default", ""), rows)


def run_html(title: str, facts: Sequence[tuple[str, str]], picture: bytes | None) -> str:
    """A solution: facts, and its picture as PNG where there is one."""
    image = ""
    if picture is not None:
        image = f'<img style="max-width:100%" src="data:image/png;base64,{b64encode(picture).decode()}"/>'
    return _title(title) + _table(("", ""), facts) + image


def _range(interval: tuple[float, float] | None, static: bool) -> str:
    if static:
        return "compiled in"
    return "" if interval is None else f"in [{interval[0]:g}, {interval[1]:g}]"


def _title(text: str) -> str:
    return f"<h4>{escape(text)}</h4>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(_row(row, "td") for row in rows)
    if not body:
        return ""
    heading = _row(head, "th") if any(head) else ""
    return f"<table>{heading}{body}</table>"


def _row(cells: Sequence[str], tag: str) -> str:
    inside = "".join(f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inside}</tr>"
