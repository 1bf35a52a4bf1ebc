"""What all pictures share: style, titles, axis labels and colour bars."""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill

import numpy as np
from matplotlib import rcParams, style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from nablax.backends.output.captions import literal, mathtext, pi_ticks
from nablax.backends.output.scene import AxisInfo, Scene

STYLE: dict[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "mathtext.fontset": "dejavusans",
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
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "text.usetex": False,
}
DPI = 160
TICKS = (1, 2, 2.5, 5, 10)


@contextmanager
def styled() -> Iterator[None]:
    """Our style, whatever the user's matplotlib settings are; they are back afterwards."""
    before = rcParams.copy()
    try:
        style.use(["default", STYLE])
        yield
    finally:
        rcParams.update(before)


def new_figure(scene: Scene, width: float, height: float) -> Figure:
    """An empty figure in inches with the run's title above and its parameters below."""
    title = fill(scene.title, max(30, int(width * 11)))
    lines = title.count("\n") + 1
    figure = Figure(
        figsize=(width, height + 0.25 * (lines - 1)),
        layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06),
    )
    if scene.title:
        figure.suptitle(literal(title), fontsize=13, color="#111111")
    details = fill(scene.details, max(60, int(width * 18)))
    figure.supxlabel(details, fontsize=7.5, color="#777777")
    return figure


def label_axis(axes: Axes, axis: AxisInfo, which: str) -> None:
    """Name and ticks of a space axis, in multiples of π where its ends are ones."""
    target = axes.xaxis if which == "x" else axes.yaxis
    ticks = pi_ticks(axis.lower, axis.upper)
    if ticks is not None:
        target.set_ticks(ticks[0], labels=ticks[1])
    else:
        target.set_major_locator(MaxNLocator(5, steps=TICKS))
    if which == "x":
        axes.set_xlabel(mathtext(axis.name))
    else:
        label_up(axes, mathtext(axis.name))


def label_up(axes: Axes, name: str) -> None:
    """The vertical label, upright."""
    axes.set_ylabel(name, rotation=0, ha="right", va="center")


def colour_bar(
    figure: Figure, beside: Axes, shown: ScalarMappable, name: str, phase: bool = False
) -> Colorbar:
    """A bar exactly as high as the axes beside it, with the quantity's name on top."""
    bar = figure.colorbar(shown, cax=beside.inset_axes((1.03, 0.0, 0.035, 1.0)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2.5, width=0.6)
    bar.ax.set_title(name, fontsize=11, pad=5)
    if phase:
        bar.set_ticks([-np.pi, 0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])
    else:
        bar.ax.yaxis.set_major_locator(MaxNLocator(6, steps=TICKS))
    return bar
