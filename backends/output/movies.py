"""Movies of saved runs: MP4 where ffmpeg is on the path, an animated GIF otherwise."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from nablax.backends.output.curves import frame_lines, line_values
from nablax.backends.output.figures import colour_bar, new_figure, styled
from nablax.backends.output.maps import MapRow, draw_panel, panels, when
from nablax.backends.output.paths import MARK, OutputError, claim, reason
from nablax.backends.output.scene import PictureError, Quantity, Scene, drawable, only, scene_of
from nablax.backends.output.store import open_run

SECONDS = 10.0  # a movie lasts about this long
RATES = (6, 30)  # frames a second, at least and at most
MOST_FRAMES = 600
MOST_PANELS = 3
DPI = 110

Update = Callable[[int], None]
"""Shows frame i in a figure already made."""


def draw_movie(data: Path, path: Path, field: str | None = None) -> Path:
    """Draw a saved run as a movie and return the file written: `.gif` when there is no ffmpeg for `.mp4`.

    Raises `PictureError` for data that do not move, `OutputError` for the files.
    """
    if path.suffix not in (".mp4", ".gif"):
        raise OutputError(f"`{path}` ends in neither `.mp4` nor `.gif`")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        path = path.with_suffix(".gif")
    claim(path)
    with open_run(data) as opened:
        run = drawable(opened)
        scene = scene_of(run)
        if field is not None:
            scene = only(scene, run, field)
        if len(scene.times) < 2:
            raise PictureError("a movie needs more than one frame")
        count = min(len(scene.times), MOST_FRAMES)
        chosen = [round(i * scene.last / (count - 1)) for i in range(count)]
        rate = int(np.clip(len(chosen) / SECONDS, *RATES))
        try:
            with styled():
                figure, update = _staged(scene)
                write = _write_mp4 if path.suffix == ".mp4" else _write_gif
                write(figure, update, chosen, path, rate)
        except OSError as error:
            raise OutputError(f"`{path}` cannot be written ({reason(error)})") from None
    return path


def _staged(scene: Scene) -> tuple[Figure, Update]:
    quantities = scene.quantities[:MOST_PANELS]
    if scene.dimension == 1:
        return _staged_curves(scene, quantities)
    if scene.dimension in (2, 3):
        return _staged_maps(scene, quantities)
    raise PictureError(f"no movie shows data with {scene.dimension} space axes")


def _staged_curves(scene: Scene, quantities: Sequence[Quantity]) -> tuple[Figure, Update]:
    figure = new_figure(scene, 7.0, 1.0 + 3.0 * len(quantities))
    grid = figure.subplots(len(quantities), 1, squeeze=False)[:, 0]
    curves = []
    for axes, quantity in zip(grid, quantities, strict=True):
        axes.plot(scene.axes[0].points, line_values(quantity, 0), color="#c8c8c8", lw=1.2)
        (curve,) = axes.plot(scene.axes[0].points, line_values(quantity, 0), color="#22577a", lw=1.8)
        frame_lines(axes, scene, quantity)
        lower, upper = _range(scene, partial(line_values, quantity))
        margin = 0.06 * (upper - lower) or 0.5
        axes.set_ylim(lower - margin, upper + margin)
        curves.append(curve)

    def update(i: int) -> None:
        grid[0].set_title(when(scene, i))
        for curve, quantity in zip(curves, quantities, strict=True):
            curve.set_ydata(line_values(quantity, i))

    return figure, update


def _staged_maps(scene: Scene, quantities: Sequence[Quantity]) -> tuple[Figure, Update]:
    fixed: tuple[tuple[str, float], ...] = ()
    if scene.dimension == 3:
        last = scene.axes[-1]
        fixed = ((last.name, (last.lower + last.upper) / 2),)
    flat = scene.dimension == 2 and scene.coordinates == "cartesian"
    rows = [MapRow(q, flow="arrows" if flat and q.parts == 2 else None) for q in quantities]
    scales = [r.scale(*_range(scene, partial(_shown, scene, r, fixed))) for r in rows]
    ratio = panels(scene, quantities[0], [0], fixed)[0].ratio
    width = 4.0 / max(1.0, ratio) ** 0.5
    size = (max(5.2, 0.9 + len(rows) * (width + 0.9)), 1.6 + width * ratio)
    figure = new_figure(scene, *size)
    grid = figure.subplots(1, len(rows), squeeze=False)[0]

    drawn = [
        draw_panel(axes, panels(scene, row.quantity, [0], fixed)[0], row, scale)
        for axes, row, scale in zip(grid, rows, scales, strict=True)
    ]
    for axes, row, made in zip(grid, rows, drawn, strict=True):
        colour_bar(figure, axes, made.colours, row.name)

    def update(i: int) -> None:
        for row, made in zip(rows, drawn, strict=True):
            made.show(panels(scene, row.quantity, [i], fixed)[0])

    return figure, update


def _shown(scene: Scene, row: MapRow, fixed: Sequence[tuple[str, float]], i: int) -> np.ndarray:
    return row.scalar(panels(scene, row.quantity, [i], fixed)[0].values)


def _range(scene: Scene, values: Callable[[int], np.ndarray]) -> tuple[float, float]:
    """The smallest and the largest value over all frames: one scale for the whole movie."""
    ends = [(float(np.min(v)), float(np.max(v))) for v in (values(i) for i in range(len(scene.times)))]
    return min(e[0] for e in ends), max(e[1] for e in ends)


def _settle(figure: Figure, update: Update, first: int) -> FigureCanvasAgg:
    """Show the first frame and keep its layout: a movie must not jitter."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    update(first)
    canvas.draw()  # type: ignore[no-untyped-call]
    figure.set_layout_engine("none")
    return canvas


def _write_gif(figure: Figure, update: Update, chosen: Sequence[int], path: Path, rate: int) -> None:
    canvas = _settle(figure, update, chosen[0])

    def page(i: int) -> Image.Image:
        update(i)
        canvas.draw()  # type: ignore[no-untyped-call]
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]

    palette = _palette([page(chosen[k * (len(chosen) - 1) // 2]) for k in range(3)])
    pages = [page(i).quantize(palette=palette, dither=Image.Dither.NONE) for i in chosen]
    pages[0].save(
        path,
        save_all=True,
        append_images=pages[1:],
        duration=max(20, round(1000 / rate)),
        loop=0,
        comment=MARK,
        optimize=False,
    )


def _palette(pages: Sequence[Image.Image]) -> Image.Image:
    """256 colours for all frames, from a few of them: the scale is the same throughout."""
    together = Image.new("RGB", (pages[0].width, sum(p.height for p in pages)))
    for k, page in enumerate(pages):
        together.paste(page, (0, k * page.height))
    palette = together.quantize(255)
    flat = palette.getpalette() or []
    colours = [flat[k : k + 3] for k in range(0, 3 * 255, 3)]
    # Averaging turns white paper grey, and the nearest colour is found roughly: leave only pure white there.
    kept = [c for c in colours if min(c, default=0) < 245]
    palette.putpalette([v for c in (*kept, [255, 255, 255]) for v in c])
    return palette


def _write_mp4(figure: Figure, update: Update, chosen: Sequence[int], path: Path, rate: int) -> None:
    from matplotlib.animation import FFMpegWriter

    _settle(figure, update, chosen[0])
    writer = FFMpegWriter(fps=rate, bitrate=4000, metadata={"comment": MARK.decode()})
    with writer.saving(figure, str(path), DPI):
        for i in chosen:
            update(i)
            writer.grab_frame()
