"""Pictures of saved runs. Figures are made directly, without pyplot and its global state."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import NonUniformImage

from nablax.backends.output.captions import literal, mathtext, number, pi_ticks
from nablax.backends.output.colors import Scale, modulus_scale, phase_scale, scale_of
from nablax.backends.output.paths import OutputError, reason
from nablax.backends.output.requests import KINDS, Drawing, Kind
from nablax.backends.output.store import open_run

if TYPE_CHECKING:
    import xarray

    from nablax.plan import Plan

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "mathtext.fontset": "cm",
    "axes.titlesize": 10.0,
    "axes.labelsize": 11.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#444444",
    "axes.labelcolor": "#222222",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
}
DPI = 160
LINES = 9  # curves over time in one panel
MOST_ROWS = 4  # fields in one picture
MOST_TIMES = 600  # rows of a space-time picture: more than its pixels


class PictureError(Exception):
    """A picture that does not suit the data; one line, lower case."""


@dataclass(frozen=True, slots=True)
class AxisInfo:
    """A space axis as drawn: a periodic axis is closed by its first point again."""

    name: str
    lower: float
    upper: float
    periodic: bool
    points: np.ndarray


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a row shows. `frame(i)` is the array of shape (parts, *grid), closed along periodic axes.

    `parts` is 1 for a scalar, the number of axes for a vector.
    """

    name: str
    parts: int
    complex: bool
    frame: Callable[[int], np.ndarray]


@dataclass(frozen=True, slots=True)
class Scene:
    """A saved run, ready to draw. `times` is empty for a steady problem."""

    title: str
    details: str
    axes: tuple[AxisInfo, ...]
    time: str | None
    times: np.ndarray
    quantities: tuple[Quantity, ...]

    @property
    def last(self) -> int:
        return max(0, len(self.times) - 1)

    @property
    def dimension(self) -> int:
        return len(self.axes)


def draw_saved(data: Path, path: Path, kind: str | None = None, field: str | None = None) -> None:
    """Draw a saved run to a picture file; kind and fields are chosen by the data where left out.

    Raises `PictureError` for a kind or field that does not exist or suit, `OutputError` for the files.
    """
    with open_run(data) as run:
        scene = scene_of(run)
        if field is not None:
            scene = _only(scene, run, field)
        if kind is None:
            figure = default_figure(scene)
        else:
            known = [k for k in KINDS if k == kind]
            if not known:
                raise PictureError(f"there is no picture `{kind}`; there are {', '.join(KINDS)}")
            figure = kind_figure(scene, [(known[0], q, ()) for q in scene.quantities])
        save(figure, path)


def draw_run(
    plan: "Plan", data: Path, path: Path, drawings: Sequence[Drawing], params: Mapping[str, float]
) -> None:
    """The picture of a run that has just ended: what its spec asks for, or the default."""
    with open_run(data) as run:
        scene = scene_of(run)
        if not drawings:
            figure = default_figure(scene)
        else:
            rows = [(d.kind, _quantity_of(d, scene, run, plan, params), d.at) for d in drawings]
            figure = kind_figure(scene, rows)
        save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (or what the suffix says), marked as ours. Raises `OutputError`."""
    suffix = path.suffix.lstrip(".") or "png"
    if suffix not in ("png", "pdf", "svg", "jpg", "jpeg", "webp"):
        raise OutputError(f"`{path}` ends in no picture format (.png, .pdf, .svg, .jpg)")
    creator = {"png": "Software", "svg": "Creator", "pdf": "Creator"}.get(suffix)
    try:
        with rc_context(STYLE):
            figure.savefig(path, dpi=DPI, format=suffix, metadata={creator: "nablax"} if creator else None)
    except OSError as error:
        raise OutputError(f"`{path}` cannot be written ({reason(error)})") from None


def scene_of(run: "xarray.Dataset") -> Scene:
    """What there is to draw in a saved run."""
    fields = json.loads(run.attrs["fields"])
    axes = tuple(
        AxisInfo(a["name"], a["lower"], a["upper"], a["periodic"], _closed_points(run[a["name"]].values, a))
        for a in json.loads(run.attrs["axes"])
    )
    names = [a.name for a in axes]
    time = next((str(d) for d in run.dims if d not in names), None)
    parameters = json.loads(run.attrs.get("parameters", "{}"))
    shown = [f"{mathtext(k)} = {number(v)}" for k, v in list(parameters.items())[:6]]
    grid = " × ".join(str(run.sizes[n]) for n in names)
    details = " · ".join([*shown, f"{grid} points", literal(str(run.attrs.get("method", "")))])
    quantities = tuple(
        Quantity(f["name"], len(f["variables"]), f["complex"], _reader(run, f["variables"], axes, time))
        for f in fields
    )
    times = np.asarray(run[time].values, dtype=float) if time is not None else np.zeros(0)
    if time is not None and not len(times):
        raise OutputError("the dataset holds no frame")
    return Scene(str(run.attrs.get("title", "")), details, axes, time, times, quantities)


def _closed_points(points: np.ndarray, axis: Mapping[str, float]) -> np.ndarray:
    return np.append(points, axis["upper"]) if axis["periodic"] else points


def _closed(values: np.ndarray, axes: Sequence[AxisInfo]) -> np.ndarray:
    """Values of shape (parts, *grid) with periodic axes closed."""
    for i, axis in enumerate(axes, start=1):
        if axis.periodic:
            values = np.concatenate([values, np.take(values, [0], axis=i)], axis=i)
    return values


def _reader(
    run: "xarray.Dataset", variables: Sequence[str], axes: Sequence[AxisInfo], time: str | None
) -> Callable[[int], np.ndarray]:
    def frame(i: int) -> np.ndarray:
        at = {} if time is None else {time: i}
        return _closed(np.stack([run[v].isel(at).values for v in variables]), axes)

    return frame


def _only(scene: Scene, run: "xarray.Dataset", field: str) -> Scene:
    variable = field.replace(".", "_")
    chosen = [q for q in scene.quantities if q.name == field]
    if not chosen and variable in run.data_vars:
        reader = _reader(run, [variable], scene.axes, scene.time)
        chosen = [Quantity(field, 1, np.iscomplexobj(run[variable]), reader)]
    if not chosen:
        names = ", ".join(q.name for q in scene.quantities)
        raise PictureError(f"the data hold no field `{field}`; there are {names}")
    return Scene(scene.title, scene.details, scene.axes, scene.time, scene.times, tuple(chosen))


def _quantity_of(
    drawing: Drawing, scene: Scene, run: "xarray.Dataset", plan: "Plan", params: Mapping[str, float]
) -> Quantity:
    if drawing.expression is None:
        return _only(scene, run, drawing.field).quantities[0]
    from nablax.backends.reference import environment, evaluate, nodes

    place = nodes(plan)
    names = {c.name: c.name.replace(".", "_") for c in plan.system.problem.components}

    def frame(i: int) -> np.ndarray:
        at = {} if scene.time is None else {scene.time: i}
        fields = {name: run[variable].isel(at).values for name, variable in names.items()}
        t = float(scene.times[i]) if len(scene.times) else 0.0
        values = evaluate(drawing.expression, environment(plan, t, fields, params), place)
        return _closed(np.broadcast_to(values, place.shape)[None], scene.axes)

    return Quantity(drawing.field, 1, np.iscomplexobj(frame(scene.last)), frame)


# --- figures -----------------------------------------------------------------------------------------

Row = tuple[Kind, Quantity, tuple[tuple[str, float], ...]]


def default_figure(scene: Scene) -> Figure:
    """One row per field: lines and space-time in 1-D, three times in 2-D, three planes in 3-D."""
    if scene.dimension == 1:
        return _figure_1d(scene, scene.quantities[:MOST_ROWS])
    rows: list[Row] = []
    for quantity in scene.quantities[:MOST_ROWS]:
        kind: Kind = "slice" if scene.dimension == 3 else "vectors" if quantity.parts > 1 else "heatmap"
        rows.append((kind, quantity, ()))
    return kind_figure(scene, rows)


def kind_figure(scene: Scene, rows: Sequence[Row]) -> Figure:
    """A figure of the pictures asked for, one row each. Raises `PictureError` where one does not suit."""
    for kind, quantity, _ in rows:
        _check(kind, quantity, scene)
    if scene.dimension == 1:
        return _figure_asked_1d(scene, rows)
    return _figure_maps(scene, rows)


def _check(kind: Kind, quantity: Quantity, scene: Scene) -> None:
    dimensions = {"heatmap": (2, 3), "spacetime": (1,), "lines": (1,), "vectors": (2,), "slice": (3,)}[kind]
    if scene.dimension not in dimensions:
        raise PictureError(f"`{kind}` does not show data with {scene.dimension} space axes")
    if kind == "vectors" and quantity.parts == 1:
        raise PictureError(f"`vectors` shows a vector field, and `{quantity.name}` is none")
    if kind == "spacetime" and len(scene.times) < 2:
        raise PictureError("`spacetime` needs more than one frame")


def _new_figure(scene: Scene, width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)
    title = fill(scene.title, max(30, int(width * 11)))
    lines = title.count("\n") + 1
    if scene.title:
        figure.suptitle(literal(title), fontsize=13, fontweight="medium", color="#111111")
    figure.supxlabel(scene.details, fontsize=7.5, color="#777777")
    figure.set_figheight(height + 0.25 * (lines - 1))
    return figure


def _moduli(quantity: Quantity, values: np.ndarray) -> np.ndarray:
    """Modulus of a complex scalar, speed of a vector; shape without the leading parts."""
    return np.sqrt(np.sum(np.abs(values) ** 2, axis=0))


# --- one space axis ----------------------------------------------------------------------------------


def _figure_1d(scene: Scene, quantities: Sequence[Quantity]) -> Figure:
    moving = len(scene.times) > 1
    complex_too = any(q.complex for q in quantities)
    columns = (3 if complex_too else 2) if moving else 1
    with rc_context(STYLE):
        figure = _new_figure(scene, 0.7 + 4.2 * columns, 0.9 + 3.0 * len(quantities))
        grid = figure.subplots(len(quantities), columns, squeeze=False)
        for row, quantity in zip(grid, quantities, strict=True):
            _lines(figure, row[0], scene, quantity)
            if moving:
                _spacetime(figure, row[1], scene, quantity, phase=False)
            if moving and quantity.complex:
                _spacetime(figure, row[2], scene, quantity, phase=True)
            elif columns == 3:
                row[2].set_axis_off()
    return figure


def _figure_asked_1d(scene: Scene, rows: Sequence[Row]) -> Figure:
    with rc_context(STYLE):
        figure = _new_figure(scene, 7.0, 0.9 + 3.6 * len(rows))
        grid = figure.subplots(len(rows), 1, squeeze=False)
        for (kind, quantity, _), axes in zip(rows, grid[:, 0], strict=True):
            if kind == "lines":
                _lines(figure, axes, scene, quantity)
            else:
                _spacetime(figure, axes, scene, quantity, phase=False)
    return figure


def _shown_name(quantity: Quantity) -> str:
    name = mathtext(quantity.name)
    return f"$|{name[1:-1]}|$" if quantity.complex and name.startswith("$") else name


def _values_1d(quantity: Quantity, i: int) -> np.ndarray:
    values = quantity.frame(i)[0]
    return np.abs(values) if quantity.complex else values


def _lines(figure: Figure, axes: Axes, scene: Scene, quantity: Quantity) -> None:
    from matplotlib import colormaps

    axis = scene.axes[0]
    chosen = np.unique(np.linspace(0, scene.last, LINES).round().astype(int))
    if len(scene.times) < 2:
        axes.plot(axis.points, _values_1d(quantity, 0), color="#22577a")
    else:
        cmap = colormaps["viridis"].resampled(256)
        norm = Normalize(scene.times[0], scene.times[-1] + 0.12 * (scene.times[-1] - scene.times[0]))
        for i in chosen:
            axes.plot(axis.points, _values_1d(quantity, i), color=cmap(norm(scene.times[i])), lw=1.4)
        shown = Normalize(scene.times[0], scene.times[-1])
        colors = cmap(np.linspace(0, 1 / 1.12, 256))
        from matplotlib.colors import ListedColormap

        bar = figure.colorbar(ScalarMappable(shown, ListedColormap(colors)), ax=axes, pad=0.02, aspect=30)
        _finish_bar(bar, mathtext(scene.time or "t"))
        bar.ax.hlines(scene.times[chosen], 0, 1, color="white", lw=0.8)
    axes.set_xlim(axis.lower, axis.upper)
    axes.margins(y=0.06)
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    _label_axis(axes, axis, "x")
    axes.set_ylabel(_shown_name(quantity))


def _spacetime(figure: Figure, axes: Axes, scene: Scene, quantity: Quantity, phase: bool) -> None:
    axis = scene.axes[0]
    chosen = np.unique(np.linspace(0, scene.last, min(len(scene.times), MOST_TIMES)).round().astype(int))
    values = np.stack([quantity.frame(i)[0] for i in chosen])
    if phase:
        values, scale, name = np.angle(values), phase_scale(), f"arg {mathtext(quantity.name)}"
    elif quantity.complex:
        values = np.abs(values)
        scale, name = modulus_scale(float(np.max(values))), _shown_name(quantity)
    else:
        scale, name = scale_of(float(np.min(values)), float(np.max(values))), mathtext(quantity.name)
    times = scene.times[chosen]
    image = NonUniformImage(
        axes,
        interpolation="nearest" if phase else "bilinear",
        extent=(axis.lower, axis.upper, times[0], times[-1]),
        cmap=scale.cmap,
        norm=scale.norm,
    )
    image.set_data(axis.points, times, values)
    axes.add_image(image)
    axes.set_xlim(axis.lower, axis.upper)
    axes.set_ylim(times[0], times[-1])
    _label_axis(axes, axis, "x")
    axes.set_ylabel(mathtext(scene.time or "t"))
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=30)
    _finish_bar(bar, name, phase)


# --- maps: two space axes, and planes of three ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """One map. `values` has shape (parts, points of `across`, points of `up`)."""

    caption: str
    values: np.ndarray
    across: AxisInfo
    up: AxisInfo


def _panels(scene: Scene, kind: Kind, quantity: Quantity, at: Sequence[tuple[str, float]]) -> list[Panel]:
    if scene.dimension == 2:
        frames = sorted({0, scene.last // 2, scene.last}) if len(scene.times) else [0]
        return [Panel(_when(scene, i), quantity.frame(i), scene.axes[0], scene.axes[1]) for i in frames]
    values = quantity.frame(scene.last)
    fixed = dict(at) or {a.name: (a.lower + a.upper) / 2 for a in reversed(scene.axes)}
    panels = []
    for name, place in fixed.items():
        j = next(i for i, a in enumerate(scene.axes) if a.name == name)
        nearest = int(np.argmin(np.abs(scene.axes[j].points - place)))
        across, up = (a for i, a in enumerate(scene.axes) if i != j)
        where = f"{mathtext(name)} = {number(float(scene.axes[j].points[nearest]))}"
        caption = ", ".join(c for c in (where, _when(scene, scene.last)) if c)
        panels.append(Panel(caption, np.take(values, nearest, axis=j + 1), across, up))
    return panels


def _when(scene: Scene, i: int) -> str:
    return f"{mathtext(scene.time or 't')} = {number(float(scene.times[i]))}" if len(scene.times) else ""


@dataclass(frozen=True, slots=True)
class _MapRow:
    panels: list[Panel]
    quantity: Quantity
    phase: bool
    flow: bool


def _figure_maps(scene: Scene, rows: Sequence[Row]) -> Figure:
    described: list[_MapRow] = []
    for kind, quantity, at in rows:
        panels = _panels(scene, kind, quantity, at)
        flow = quantity.parts > 1 and scene.dimension == 2 and kind in ("vectors", "heatmap")
        described.append(_MapRow(panels, quantity, False, flow))
        if quantity.complex:
            described.append(_MapRow(panels, quantity, True, False))
    columns = max(len(r.panels) for r in described)
    panel = described[0].panels[0]
    ratio = (panel.up.upper - panel.up.lower) / (panel.across.upper - panel.across.lower)
    ratio = ratio if 0.25 <= ratio <= 4 else 0.75
    width = min(3.4, 3.2 / ratio) if ratio > 1 else 3.4
    with rc_context(STYLE):
        figure = _new_figure(
            scene, max(5.0, 1.2 + columns * width), 1.0 + len(described) * (width * ratio + 0.45)
        )
        grid = figure.subplots(len(described), columns, squeeze=False)
        for axes_row, row in zip(grid, described, strict=True):
            _map_row(figure, axes_row, row)
    return figure


def _map_row(figure: Figure, axes_row: np.ndarray, row: _MapRow) -> None:
    scalars = [_scalar(p.values, row) for p in row.panels]
    scale, name = _row_scale(scalars, row)
    image = None
    for k, axes in enumerate(axes_row):
        if k >= len(row.panels):
            axes.set_axis_off()
            continue
        panel = row.panels[k]
        image = _map(axes, panel, scalars[k], scale, row.phase)
        if row.flow:
            _streamlines(axes, panel, scale)
        axes.set_title(panel.caption)
        _label_axis(axes, panel.across, "x")
        if k == 0 or panel.up.name != row.panels[0].up.name:
            _label_axis(axes, panel.up, "y")
        else:
            _label_axis(axes, panel.up, "y")
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
    assert image is not None
    bar = figure.colorbar(image, ax=list(axes_row), pad=0.015, aspect=28, shrink=0.95)
    _finish_bar(bar, name, row.phase)


def _scalar(values: np.ndarray, row: _MapRow) -> np.ndarray:
    if row.phase:
        return np.angle(values[0])
    if row.quantity.parts > 1 or row.quantity.complex:
        return _moduli(row.quantity, values)
    return values[0]


def _row_scale(scalars: Sequence[np.ndarray], row: _MapRow) -> tuple[Scale, str]:
    name = mathtext(row.quantity.name)
    if row.phase:
        return phase_scale(), f"arg {name}"
    upper = max(float(np.max(s)) for s in scalars)
    if row.quantity.parts > 1 or row.quantity.complex:
        return modulus_scale(upper), f"$|{name[1:-1]}|$" if name.startswith("$") else f"|{name}|"
    return scale_of(min(float(np.min(s)) for s in scalars), upper), name


def _map(axes: Axes, panel: Panel, values: np.ndarray, scale: Scale, phase: bool) -> "AxesImage":
    halves = [(p[1] - p[0]) / 2 for p in (panel.across.points, panel.up.points)]
    image = axes.imshow(
        values.T,
        origin="lower",
        extent=(
            panel.across.lower - halves[0],
            panel.across.upper + halves[0],
            panel.up.lower - halves[1],
            panel.up.upper + halves[1],
        ),
        cmap=scale.cmap,
        norm=scale.norm,
        interpolation="nearest" if phase else "bilinear",
        aspect=_aspect(panel),
    )
    axes.set_xlim(panel.across.lower, panel.across.upper)
    axes.set_ylim(panel.up.lower, panel.up.upper)
    return image


def _aspect(panel: Panel) -> str:
    ratio = (panel.up.upper - panel.up.lower) / (panel.across.upper - panel.across.lower)
    return "equal" if 0.25 <= ratio <= 4 else "auto"


def _streamlines(axes: Axes, panel: Panel, scale: Scale) -> None:
    u, v = panel.values[0].real, panel.values[1].real
    speed = np.hypot(u, v)
    if not np.all(np.isfinite(speed)) or float(np.max(speed)) <= 1e-12:
        return
    lines = axes.streamplot(
        panel.across.points,
        panel.up.points,
        u.T,
        v.T,
        density=1.1,
        color="white",
        linewidth=(0.35 + 0.9 * speed / np.max(speed)).T,
        arrowsize=0.7,
        arrowstyle="-|>",
    )
    lines.lines.set_alpha(0.75)
    axes.set_xlim(panel.across.lower, panel.across.upper)
    axes.set_ylim(panel.up.lower, panel.up.upper)


def _label_axis(axes: Axes, axis: AxisInfo, which: str) -> None:
    target = axes.xaxis if which == "x" else axes.yaxis
    ticks = pi_ticks(axis.lower, axis.upper)
    if ticks is not None:
        target.set_ticks(ticks[0], ticks[1])
    else:
        from matplotlib.ticker import MaxNLocator

        target.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    target.set_label_text(mathtext(axis.name))


def _finish_bar(bar: "Colorbar", name: str, phase: bool = False) -> None:
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2.5, width=0.6)
    bar.set_label(name, rotation=0, ha="left", va="center", labelpad=8)
    if phase:
        bar.set_ticks([-np.pi, 0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])
