"""The picture of a trained field: solution, size of the residual, and losses over steps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes as Panel
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.figure import Figure

from nablax.backends.output.captions import literal, mathtext
from nablax.backends.output.colors import scale_of
from nablax.backends.output.figures import colour_bar, styled
from nablax.backends.output.paths import OutputError
from nablax.backends.output.pictures import save
from nablax.backends.residuals.build import build_losses
from nablax.backends.residuals.layout import Slot, columns, layout
from nablax.backends.residuals.regions import inside
from nablax.backends.training.points import magnitudes_of
from nablax.backends.training.records import Reading, Trained
from nablax.backends.training.task import Task
from nablax.backends.training.values import evaluate_of, on_host
from nablax.problem import Problem

LINE, SIDE = 512, 160
MOST_ROWS = 3


def draw(task: Task, trained: Trained, path: Path) -> None:
    """Two coordinates at most are shown (space and time of a 1-D problem), others in the middle of their
    axis, time at its end. Raises `OutputError`."""
    problem = trained.field.problem
    slots = layout(problem)
    shown = _shown(problem, slots)
    z = _points(slots, shown)
    evaluate = evaluate_of(trained.field, trained.params, task.training.ensemble)
    shape = z.shape[:-1]
    drawn = (
        inside(problem, z.reshape(-1, z.shape[-1])).reshape(shape) if problem.cuts else np.ones(shape, bool)
    )
    found = on_host(evaluate, z, task.training.dtype)
    fields = {name: np.where(drawn, values, np.nan) for name, values in found.items()}
    residual = np.where(drawn, _residual(task, trained, z), np.nan)
    names = list(fields)[:MOST_ROWS]
    with styled():
        figure = Figure(figsize=(11.5, 0.6 + 3.1 * len(names)), layout="constrained")
        figure.suptitle(literal(problem.title or path.stem), fontsize=12, color="#111111")
        grid = figure.subplots(len(names), 3, squeeze=False)
        for row, name in zip(grid, names, strict=True):
            values = np.abs(fields[name]) if np.iscomplexobj(fields[name]) else fields[name]
            _field(figure, row[0], shown, values, mathtext(name))
        _residuals(figure, grid[0, 1], shown, residual)
        _losses(grid[0, 2], trained.readings)
        for row in grid[1:]:
            row[1].set_axis_off()
            row[2].set_axis_off()
    save(figure, path)


def _shown(problem: Problem, slots: Sequence[Slot]) -> tuple[Slot, ...]:
    plain = [s for s in slots if s.size == 1]
    if not plain:
        raise OutputError("a family of axes alone suits no picture")
    space = [s for s in plain if s.axis is not problem.time]
    return tuple(plain[:2] if len(space) == 1 else space[:2])


def _points(slots: Sequence[Slot], shown: Sequence[Slot]) -> np.ndarray:
    """[points, axes] on a line, [up, right, axes] on a plane: the first axis runs to the right."""
    count = LINE if len(shown) == 1 else SIDE
    lines = [np.linspace(s.low, s.high, count) for s in shown]
    mesh = np.meshgrid(*lines[::-1], indexing="ij")[::-1]
    z = np.zeros((*mesh[0].shape, sum(s.size for s in slots)))
    for slot in slots:
        last = slot.axis.name == slots[-1].axis.name and len(slots) > 1
        z[..., slot.columns] = slot.high if last else (slot.low + slot.high) / 2
    for slot, values in zip(shown, mesh, strict=True):
        z[..., slot.start] = values
    return z


def _residual(task: Task, trained: Trained, z: np.ndarray) -> np.ndarray:
    free = task.bounds.free(trained.params)
    losses = build_losses(task.system, trained.field, None)
    program = magnitudes_of(replace(task, field=trained.field, losses=losses))
    flat = jnp.asarray(z.reshape(-1, columns(trained.field.problem)), task.training.dtype)
    by_axis = {
        s.axis.name: flat[:, s.columns] if s.axis.size is not None else flat[:, s.start]
        for s in layout(trained.field.problem)
    }
    found = np.asarray(program(free, by_axis, jax.random.key(0)))
    return found.reshape(z.shape[:-1])


def _field(figure: Figure, panel: Panel, shown: Sequence[Slot], values: np.ndarray, name: str) -> None:
    if len(shown) == 1:
        panel.plot(np.linspace(shown[0].low, shown[0].high, len(values)), values, color="#22577a", lw=1.6)
        panel.set_title(name)
    else:
        if not np.isfinite(values).any():
            panel.set_title(f"{name}: the region has no part in this plane")
            return
        scale = scale_of(float(np.nanmin(values)), float(np.nanmax(values)))
        _image(panel, shown, values, cmap=scale.cmap, norm=scale.norm)
        colour_bar(figure, panel, ScalarMappable(scale.norm, scale.cmap), name)
    _label(panel, shown)


def _residuals(figure: Figure, panel: Panel, shown: Sequence[Slot], values: np.ndarray) -> None:
    highest = float(np.nanmax(values))
    floor = max(highest * 1e-6, 1e-300)
    values = np.maximum(values, floor)
    if len(shown) == 1:
        panel.semilogy(np.linspace(shown[0].low, shown[0].high, len(values)), values, color="#9a3b3b", lw=1.0)
        panel.set_title("residual")
    else:
        norm = LogNorm(floor, max(highest, 2 * floor))
        _image(panel, shown, values, cmap="magma", norm=norm)
        bar = figure.colorbar(ScalarMappable(norm, "magma"), cax=panel.inset_axes((1.03, 0.0, 0.035, 1.0)))
        bar.ax.set_title("residual", fontsize=9, pad=5)
    _label(panel, shown)


def _image(
    panel: Panel, shown: Sequence[Slot], values: np.ndarray, cmap: str | Colormap, norm: Normalize | None
) -> None:
    x, y = shown
    extent = (x.low, x.high, y.low, y.high)
    panel.imshow(values, origin="lower", extent=extent, aspect="auto", cmap=cmap, norm=norm)


def _label(panel: Panel, shown: Sequence[Slot]) -> None:
    panel.set_xlabel(mathtext(shown[0].axis.name))
    if len(shown) > 1:
        panel.set_ylabel(mathtext(shown[1].axis.name), rotation=0, ha="right", va="center")


def _losses(panel: Panel, readings: Sequence[Reading]) -> None:
    steps = [r.step for r in readings]
    for name in readings[-1].losses if readings else ():
        panel.semilogy(steps, [max(abs(r.losses[name]), 1e-300) for r in readings], lw=1.0, label=name)
    panel.semilogy(steps, [max(r.held**2, 1e-300) for r in readings], color="black", lw=1.4, label="held out")
    panel.set_title("mean squares by step")
    panel.legend(fontsize=6.5, frameon=False)
    panel.grid(color="#e6e6e6", lw=0.6)
    panel.spines[["top", "right"]].set_visible(False)
