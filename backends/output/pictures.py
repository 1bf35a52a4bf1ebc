"""Pictures of saved runs. Figures are made directly, without pyplot and its global state."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from nablax.backends.output.curves import lines, spacetime
from nablax.backends.output.drawings import KINDS, Drawing, Kind
from nablax.backends.output.figures import DPI, colour_bar, new_figure, styled
from nablax.backends.output.maps import MapRow, Panel, draw_panel, panels
from nablax.backends.output.paths import OutputError, reason
from nablax.backends.output.scene import (
    PictureError,
    Quantity,
    Scene,
    drawable,
    only,
    quantity_of,
    scene_of,
)
from nablax.backends.output.store import open_run

if TYPE_CHECKING:
    from nablax.outline import Outline

MOST_ROWS = 4  # fields in one picture
FORMATS = ("png", "pdf", "svg", "jpg", "jpeg", "webp")
DIMENSIONS: Mapping[Kind, tuple[int, ...]] = {
    "heatmap": (2, 3),
    "spacetime": (1,),
    "lines": (1,),
    "vectors": (2,),
    "slice": (3,),
}

Row = tuple[Kind, Quantity, tuple[tuple[str, float], ...]]
"""A picture asked for: kind, what it shows, and the axes a slice fixes."""


def draw_saved(data: Path, path: Path, kind: str | None = None, field: str | None = None) -> None:
    """Draw a saved run to a picture file; kind and fields are chosen by the data where left out.

    Raises `PictureError` for a kind or field that does not exist or suit, `OutputError` for the files.
    """
    with open_run(data) as opened:
        run = drawable(opened)
        scene = scene_of(run)
        if field is not None:
            scene = only(scene, run, field)
        if kind is None:
            figure = default_figure(scene)
        else:
            known = [k for k in KINDS if k == kind]
            if not known:
                raise PictureError(f"there is no picture `{kind}`; there are {', '.join(KINDS)}")
            shown = scene.quantities[:MOST_ROWS]
            if field is None and kind == "vectors":
                shown = tuple(q for q in scene.quantities if q.parts > 1) or shown
            figure = kind_figure(scene, [(known[0], q, ()) for q in shown])
        save(figure, path)


def draw_run(
    outline: "Outline", data: Path, path: Path, drawings: Sequence[Drawing], params: Mapping[str, float]
) -> None:
    """The picture of a run that has just ended: what its spec asks for, or the default."""
    with open_run(data) as opened:
        run = drawable(opened)
        scene = scene_of(run)
        if not drawings:
            figure = default_figure(scene)
        else:
            figure = kind_figure(
                scene, [(d.kind, quantity_of(d, scene, run, outline, params), d.at) for d in drawings]
            )
        save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (or what the suffix says), marked as ours. Raises `OutputError`."""
    suffix = path.suffix.lstrip(".") or "png"
    if suffix not in FORMATS:
        raise OutputError(f"`{path}` ends in no picture format (.png, .pdf, .svg, .jpg)")
    marks = {"png": {"Software": "nablax"}, "svg": {"Creator": "nablax"}, "pdf": {"Creator": "nablax"}}
    try:
        with styled():
            figure.savefig(path, dpi=DPI, format=suffix, metadata=marks.get(suffix))
    except OSError as error:
        raise OutputError(f"`{path}` cannot be written ({reason(error)})") from None


def default_figure(scene: Scene) -> Figure:
    """One row per field: curves and space-time in 1-D, three times in 2-D, three planes in 3-D."""
    shown = scene.quantities[:MOST_ROWS]
    if scene.dimension == 1:
        return _curves(scene, shown)
    if scene.dimension not in (2, 3):
        raise PictureError(f"no picture shows data with {scene.dimension} space axes")
    rows: list[Row] = []
    for quantity in shown:
        flat: Kind = "vectors" if quantity.parts > 1 else "heatmap"
        rows.append(("slice" if scene.dimension == 3 else flat, quantity, ()))
    return _maps(scene, rows)


def kind_figure(scene: Scene, rows: Sequence[Row]) -> Figure:
    """A figure of the pictures asked for, one row each. Raises `PictureError` where one does not suit."""
    for kind, quantity, _ in rows:
        _check(kind, quantity, scene)
    if scene.dimension > 1:
        return _maps(scene, rows)
    with styled():
        figure = new_figure(scene, 7.2, 0.9 + 3.8 * len(rows))
        grid = figure.subplots(len(rows), 1, squeeze=False)
        for (kind, quantity, _), axes in zip(rows, grid[:, 0], strict=True):
            if kind == "lines":
                lines(figure, axes, scene, quantity)
            else:
                spacetime(figure, axes, scene, quantity, phase=False)
    return figure


def _check(kind: Kind, quantity: Quantity, scene: Scene) -> None:
    if scene.dimension not in DIMENSIONS[kind]:
        raise PictureError(f"`{kind}` does not show data with {scene.dimension} space axes")
    if kind == "vectors" and quantity.parts == 1:
        raise PictureError(f"`vectors` shows a vector field, and `{quantity.name}` is none")
    if kind == "spacetime" and len(scene.times) < 2:
        raise PictureError("`spacetime` needs more than one frame")


def _curves(scene: Scene, quantities: Sequence[Quantity]) -> Figure:
    moving = len(scene.times) > 1
    columns = (3 if any(q.complex for q in quantities) else 2) if moving else 1
    with styled():
        figure = new_figure(scene, max(5.0, 0.7 + 4.2 * columns), 0.9 + 3.0 * len(quantities))
        grid = figure.subplots(len(quantities), columns, squeeze=False)
        for row, quantity in zip(grid, quantities, strict=True):
            lines(figure, row[0], scene, quantity)
            if moving:
                spacetime(figure, row[1], scene, quantity, phase=False)
            if moving and quantity.complex:
                spacetime(figure, row[2], scene, quantity, phase=True)
            elif columns == 3:
                row[2].set_axis_off()
    return figure


def _maps(scene: Scene, rows: Sequence[Row]) -> Figure:
    frames = sorted({0, scene.last // 2, scene.last})
    described: list[tuple[MapRow, list[Panel]]] = []
    for _, quantity, at in rows:
        found = panels(scene, quantity, frames, at)
        flowing = quantity.parts == 2 and scene.dimension == 2 and scene.coordinates == "cartesian"
        described.append((MapRow(quantity, flow="streamlines" if flowing else None), found))
        if quantity.complex and quantity.parts == 1:
            described.append((MapRow(quantity, phase=True), found))
    columns = max(len(found) for _, found in described)
    ratio = described[0][1][0].ratio
    width = 3.3 / max(1.0, ratio) ** 0.5
    with styled():
        size = (max(5.2, 0.9 + columns * (width + 0.25)), 0.8 + len(described) * (width * ratio + 0.75))
        figure = new_figure(scene, *size)
        grid = figure.subplots(len(described), columns, squeeze=False)
        for axes_row, (row, found) in zip(grid, described, strict=True):
            _map_row(figure, axes_row, row, found)
    return figure


def _map_row(figure: Figure, axes_row: np.ndarray, row: MapRow, found: Sequence[Panel]) -> None:
    scalars = [row.scalar(p.values) for p in found]
    scale = row.scale(min(float(np.min(s)) for s in scalars), max(float(np.max(s)) for s in scalars))
    for axes in axes_row[len(found) :]:
        axes.set_axis_off()
    for k, (axes, panel) in enumerate(zip(axes_row, found, strict=False)):
        drawn = draw_panel(axes, panel, row, scale)
        if k > 0 and panel.up.name == found[0].up.name:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
        if k == len(found) - 1:
            colour_bar(figure, axes, drawn.colours, row.name, row.phase)
