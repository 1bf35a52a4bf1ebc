"""A run in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array

from nablax.outline import Outline

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


@partial(jax.tree_util.register_dataclass, data_fields=["t", "fields", "params"], meta_fields=["outline"])
@dataclass(frozen=True)
class Solution:
    """Fields at output times, a pytree: `t` is [frames], each field [frames, *outline.shape].

    `params` holds the values it was solved with. The methods are for concrete arrays of one run: take a
    member out of a batch first.
    """

    t: Array
    fields: Mapping[str, Array]
    params: Mapping[str, Array]
    outline: Outline

    def to_xarray(self) -> "xarray.Dataset":
        """The run as a dataset laid out like a saved one: dims (t, axes), vectors as `U_x`, `U_y`."""
        import xarray

        from nablax.backends.output.dataset import layout

        shape = layout(self.outline, self._numbers())
        coords = {a.name: a.points for a in shape.axes} | {shape.dims[0]: np.asarray(self.t)}
        data = {v.name: (shape.dims, np.asarray(self.fields[v.component])) for v in shape.variables}
        marks = dict(shape.attributes) | {"complete": 1, "frames_written": len(self.t)}
        return xarray.Dataset(data, coords, attrs=marks)

    def _repr_html_(self) -> str:
        """Times, extremes and the default picture; without the latter for a batch of runs."""
        times = np.asarray(self.t)
        single = times.ndim == 1
        span = (
            f"{len(times)} from {times[0]:g} to {times[-1]:g}" if single else f"a batch of {times.shape[0]}"
        )
        return _html(self.outline, [("frames", span), *_extremes(self.fields)], self.plot if single else None)

    def plot(self) -> "Figure":
        """The default picture as a matplotlib figure, which a notebook shows by itself."""
        from nablax.backends.output.pictures import default_figure
        from nablax.backends.output.scene import scene_of

        return default_figure(scene_of(self.to_xarray()))

    def save(self, path: str | Path) -> None:
        """Write `.zarr` or `.nc`. Raises `OutputError` if something else lies there."""
        from nablax.backends.frames import Frame
        from nablax.backends.output.dataset import layout
        from nablax.backends.output.store import create

        writer = create(Path(path), layout(self.outline, self._numbers()))
        times = np.asarray(self.t)
        arrays = {name: np.asarray(values) for name, values in self.fields.items()}
        for i, t in enumerate(times):
            fields = {name: values[i] for name, values in arrays.items()}
            writer.append(Frame(index=i, t=float(t), fields=fields, steps=0, rejected=0, dt=0.0))
        writer.close(complete=True)

    def _numbers(self) -> dict[str, float]:
        return _numbers(self.params)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["fields", "params", "residuals", "defects"],
    meta_fields=["outline"],
)
@dataclass(frozen=True)
class SteadySolution:
    """Fields at rest, a pytree: each is of shape `outline.shape`.

    `residuals` are the root mean squares of the equations by iteration, NaN beyond the last; `defects`
    says, for each field determined up to a constant, by how much the data are not compatible (what is left
    is of the size of the grid's error where they are).
    """

    fields: Mapping[str, Array]
    params: Mapping[str, Array]
    residuals: Array
    defects: Mapping[str, Array]
    outline: Outline

    def to_xarray(self) -> "xarray.Dataset":
        """The fields as a dataset laid out like a saved one: dims (axes), vectors as `U_x`, `U_y`."""
        import xarray

        from nablax.backends.output.dataset import layout

        shape = layout(self.outline, _numbers(self.params))
        coords = {a.name: a.points for a in shape.axes}
        data = {v.name: (shape.dims, np.asarray(self.fields[v.component])) for v in shape.variables}
        marks = dict(shape.attributes) | {"complete": 1, "frames_written": 1}
        return xarray.Dataset(data, coords, attrs=marks)

    def _repr_html_(self) -> str:
        """Extremes and the default picture; without the latter for a batch."""
        single = next(iter(self.fields.values())).shape == self.outline.shape
        return _html(self.outline, _extremes(self.fields), self.plot if single else None)

    def plot(self) -> "Figure":
        """The default picture as a matplotlib figure, which a notebook shows by itself."""
        from nablax.backends.output.pictures import default_figure
        from nablax.backends.output.scene import scene_of

        return default_figure(scene_of(self.to_xarray()))

    def save(self, path: str | Path) -> None:
        """Write `.zarr` or `.nc`. Raises `OutputError` if something else lies there."""
        from nablax.backends.frames import Frame
        from nablax.backends.output.dataset import layout
        from nablax.backends.output.store import create

        writer = create(Path(path), layout(self.outline, _numbers(self.params)))
        fields = {name: np.asarray(values) for name, values in self.fields.items()}
        writer.append(Frame(index=0, t=0.0, fields=fields, steps=0, rejected=0, dt=0.0))
        writer.close(complete=True)


def _numbers(params: Mapping[str, Array]) -> dict[str, float]:
    """The parameters that are numbers; coefficients on the grid are none."""
    return {name: float(value) for name, value in params.items() if np.ndim(value) == 0}


def _extremes(fields: Mapping[str, Array]) -> list[tuple[str, str]]:
    rows = []
    for name, values in fields.items():
        real = np.abs(np.asarray(values)) if np.iscomplexobj(values) else np.asarray(values)
        shown = f"|{name}|" if np.iscomplexobj(values) else name
        rows.append((shown, f"{real.min():.6g} to {real.max():.6g}"))
    return rows


def _html(outline: Outline, facts: list[tuple[str, str]], plot: "Callable[[], Figure] | None") -> str:
    from nablax.notebook import run_html

    picture = None
    if plot is not None:
        buffer = BytesIO()
        plot().savefig(buffer, format="png")
        picture = buffer.getvalue()
    return run_html(outline.title or outline.source.name, facts, picture)
