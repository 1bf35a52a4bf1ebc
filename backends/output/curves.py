"""Pictures along one space axis: curves at several times, and the space-time plane."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import NonUniformImage

from nablax.backends.output.captions import mathtext
from nablax.backends.output.colors import modulus_scale, phase_scale, scale_of
from nablax.backends.output.figures import colour_bar, label_axis, label_up
from nablax.backends.output.scene import Quantity, Scene

LINES = 9  # curves over time in one panel
MOST_TIMES = 600  # rows of a space-time picture: more than its pixels
DARK = 0.88  # share of viridis that shows on white


def lines(figure: Figure, axes: Axes, scene: Scene, quantity: Quantity) -> None:
    """A scalar (or the modulus of a complex one) over the axis, coloured by time."""
    axis = scene.axes[0]
    if len(scene.times) < 2:
        axes.plot(axis.points, line_values(quantity, 0), color="#22577a", lw=1.6)
    else:
        chosen = np.unique(np.linspace(0, scene.last, LINES).round().astype(int))
        colors = ListedColormap(colormaps["viridis"](np.linspace(0, DARK, 256)))
        norm = Normalize(scene.times[0], scene.times[-1])
        for i in chosen:
            axes.plot(axis.points, line_values(quantity, i), color=colors(norm(scene.times[i])), lw=1.4)
        bar = colour_bar(figure, axes, ScalarMappable(norm, colors), mathtext(scene.time or "t"))
        bar.ax.hlines(scene.times[chosen][1:-1], 0, 1, color="white", lw=0.8)
    frame_lines(axes, scene, quantity)


def frame_lines(axes: Axes, scene: Scene, quantity: Quantity) -> None:
    """Limits, grid and labels of a panel of curves."""
    axis = scene.axes[0]
    axes.set_xlim(axis.lower, axis.upper)
    axes.margins(y=0.06)
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    label_axis(axes, axis, "x")
    label_up(axes, quantity.caption)


def line_values(quantity: Quantity, i: int) -> np.ndarray:
    """The values of frame i along the axis; the modulus where they are complex."""
    values: np.ndarray = quantity.frame(i)[0]
    return np.abs(values) if quantity.complex else values


def spacetime(figure: Figure, axes: Axes, scene: Scene, quantity: Quantity, phase: bool) -> None:
    """The space-time plane, time upwards: values, modulus, or phase."""
    axis = scene.axes[0]
    chosen = np.unique(np.linspace(0, scene.last, min(len(scene.times), MOST_TIMES)).round().astype(int))
    values = np.stack([quantity.frame(i)[0] for i in chosen])
    name = quantity.caption
    if phase:
        values, scale, name = np.angle(values), phase_scale(), quantity.phase_caption
    elif quantity.complex:
        values = np.abs(values)
        scale = modulus_scale(float(np.max(values)))
    else:
        scale = scale_of(float(np.min(values)), float(np.max(values)))
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
    label_axis(axes, axis, "x")
    label_up(axes, mathtext(scene.time or "t"))
    colour_bar(figure, axes, image, name, phase)
