"""Maps over two axes: heat maps, speeds with streamlines, moduli and phases; planes of three dimensions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from nablax.backends.output.captions import mathtext, number, place
from nablax.backends.output.colors import Scale, modulus_scale, phase_scale, scale_of
from nablax.backends.output.figures import label_axis
from nablax.backends.output.scene import AxisInfo, Quantity, Scene

Flow = Literal["streamlines", "arrows"]
ARROWS = 22  # along each axis


@dataclass(frozen=True, slots=True)
class Panel:
    """One map. `values` has shape (parts, points of `across`, points of `up`)."""

    caption: str
    values: np.ndarray
    across: AxisInfo
    up: AxisInfo
    polar: bool = False

    @property
    def ratio(self) -> float:
        """Height over width as drawn."""
        if self.polar:
            return 1.0
        ratio = self.up.length / self.across.length
        return ratio if 0.25 <= ratio <= 4 else 0.75

    @property
    def equal(self) -> bool:
        """Whether a unit is as long on both axes as drawn."""
        return self.polar or self.ratio == self.up.length / self.across.length


@dataclass(frozen=True, slots=True)
class MapRow:
    """Panels of one quantity with one scale. `phase` shows the phase, `flow` how a vector is drawn.

    Streamlines are prettier; arrows stay where they are from one frame of a movie to the next.
    """

    quantity: Quantity
    phase: bool = False
    flow: Flow | None = None

    @property
    def name(self) -> str:
        return self.quantity.phase_caption if self.phase else self.quantity.caption

    def scalar(self, values: np.ndarray) -> np.ndarray:
        """What the colours show: the value, the modulus or speed, or the phase; shape without the parts."""
        if self.phase:
            return np.asarray(np.angle(values[0]))
        if self.quantity.parts > 1 or self.quantity.complex:
            return np.asarray(np.sqrt(np.sum(np.abs(values) ** 2, axis=0)))
        return np.asarray(values[0])

    def scale(self, lower: float, upper: float) -> Scale:
        """The scale for scalars between two values."""
        if self.phase:
            return phase_scale()
        if self.quantity.parts > 1 or self.quantity.complex:
            return modulus_scale(upper)
        return scale_of(lower, upper)


def panels(
    scene: Scene, quantity: Quantity, frames: Sequence[int], at: Sequence[tuple[str, float]]
) -> list[Panel]:
    """The maps of some frames in two dimensions; planes of the last of them in three.

    `at` fixes axes of three-dimensional data; without it the three middle planes are shown.
    """
    if scene.dimension == 2:
        polar = scene.coordinates == "polar"
        x, y = scene.axes
        return [Panel(when(scene, i), quantity.frame(i), x, y, polar) for i in frames]
    i = frames[-1]
    values = quantity.frame(i)
    fixed = dict(at) or {a.name: (a.lower + a.upper) / 2 for a in reversed(scene.axes)}
    found = []
    for name, wanted in fixed.items():
        j = next(i for i, a in enumerate(scene.axes) if a.name == name)
        axis = scene.axes[j]
        nearest = int(np.argmin(np.abs(axis.points - wanted)))
        across, up = (a for i, a in enumerate(scene.axes) if i != j)
        where = f"{mathtext(name)} = {place(float(axis.points[nearest]), axis.lower, axis.upper)}"
        caption = ", ".join(c for c in (where, when(scene, i)) if c)
        found.append(Panel(caption, np.take(values, nearest, axis=j + 1), across, up))
    return found


def when(scene: Scene, i: int) -> str:
    """The time of a frame as a caption; empty for a steady problem."""
    return f"{mathtext(scene.time or 't')} = {number(float(scene.times[i]))}" if len(scene.times) else ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A map that was drawn: what a colour bar shows, and a way to show another frame in its place.

    `show` leaves streamlines as they are; arrows turn.
    """

    colours: ScalarMappable
    show: Callable[[Panel], None]


def draw_panel(axes: Axes, panel: Panel, row: MapRow, scale: Scale) -> Drawn:
    """Draw one map with its axes."""
    axes.set_title(panel.caption)
    if panel.polar:
        return _polar_map(axes, panel, row, scale)
    halves = [(a.points[1] - a.points[0]) / 2 for a in (panel.across, panel.up)]
    image = axes.imshow(
        row.scalar(panel.values).T,
        origin="lower",
        extent=(
            panel.across.lower - halves[0],
            panel.across.upper + halves[0],
            panel.up.lower - halves[1],
            panel.up.upper + halves[1],
        ),
        cmap=scale.cmap,
        norm=scale.norm,
        interpolation="nearest" if row.phase else "bilinear",
        aspect="equal" if panel.equal else "auto",
    )
    turn = None
    if row.flow == "streamlines":
        _streamlines(axes, panel)
    elif row.flow == "arrows":
        turn = _arrows(axes, panel, scale)
    axes.set_xlim(panel.across.lower, panel.across.upper)
    axes.set_ylim(panel.up.lower, panel.up.upper)
    if not panel.equal:
        axes.set_box_aspect(panel.ratio)
    label_axis(axes, panel.across, "x")
    label_axis(axes, panel.up, "y")

    def show(other: Panel) -> None:
        axes.set_title(other.caption)
        image.set_data(row.scalar(other.values).T)
        if turn is not None:
            turn(other)

    return Drawn(image, show)


def _polar_map(axes: Axes, panel: Panel, row: MapRow, scale: Scale) -> Drawn:
    radius, angle = panel.across.points, panel.up.points
    whole = panel.across.lower == 0 < radius[0]

    def closed(values: np.ndarray) -> np.ndarray:
        """With the mean of the innermost ring at a centre, which no node lies on."""
        if not whole:
            return values
        return np.vstack([np.full(values.shape[1], np.mean(values[0])), values])

    radius = np.append(0.0, radius) if whole else radius
    r, theta = np.meshgrid(radius, angle, indexing="ij")
    mesh = axes.pcolormesh(
        r * np.cos(theta),
        r * np.sin(theta),
        closed(row.scalar(panel.values)),
        shading="gouraud",
        cmap=scale.cmap,
        norm=scale.norm,
    )
    axes.set_aspect("equal")
    axes.set_axis_off()

    def show(other: Panel) -> None:
        axes.set_title(other.caption)
        mesh.set_array(closed(row.scalar(other.values)))

    return Drawn(mesh, show)


def _streamlines(axes: Axes, panel: Panel) -> None:
    u, v = panel.values[0].real, panel.values[1].real
    speed = np.hypot(u, v)
    fastest = float(np.max(speed))
    if not np.isfinite(fastest) or fastest <= 1e-12:
        return
    drawn = axes.streamplot(
        panel.across.points,
        panel.up.points,
        u.T,
        v.T,
        density=1.1,
        color="white",
        linewidth=(0.35 + 0.9 * speed / fastest).T,
        arrowsize=0.7,
        arrowstyle="-|>",
    )
    drawn.lines.set_alpha(0.75)


def _arrows(axes: Axes, panel: Panel, scale: Scale) -> Callable[[Panel], None]:
    chosen = [
        np.linspace(0, len(a.points) - 1, min(len(a.points), ARROWS) + 1).round().astype(int)[:-1]
        for a in (panel.across, panel.up)
    ]

    def parts(of: Panel) -> tuple[np.ndarray, np.ndarray]:
        u, v = (part.real[np.ix_(*chosen)].T for part in of.values[:2])
        return u, v

    arrows = axes.quiver(
        panel.across.points[chosen[0]],
        panel.up.points[chosen[1]],
        *parts(panel),
        color="white",
        alpha=0.85,
        pivot="mid",
        angles="uv",
        units="width",
        width=0.004,
        scale=scale.upper * ARROWS,
    )
    return lambda other: arrows.set_UVC(*parts(other))
