"""A saved run as pictures see it: closed axes, times, and frames by quantity, read when wanted."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nablax.backends.output.captions import literal, mathtext, number
from nablax.backends.output.paths import OutputError

if TYPE_CHECKING:
    import xarray

    from nablax.backends.output.drawings import Drawing
    from nablax.outline import Outline


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

    @property
    def length(self) -> float:
        return self.upper - self.lower


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a row shows. `frame(i)` is the array of shape (parts, *grid), closed along periodic axes.

    `parts` is 1 for a scalar, the number of axes for a vector.
    """

    name: str
    parts: int
    complex: bool
    frame: Callable[[int], np.ndarray]

    @property
    def caption(self) -> str:
        """The name as mathtext, between bars where a modulus or a speed is shown."""
        name = mathtext(self.name)
        if self.parts == 1 and not self.complex:
            return name
        return f"$|{name[1:-1]}|$" if name.startswith("$") else f"|{name}|"

    @property
    def phase_caption(self) -> str:
        return f"arg {mathtext(self.name)}"


@dataclass(frozen=True, slots=True)
class Scene:
    """A saved run, ready to draw. `times` is empty for a steady problem."""

    title: str
    details: str
    coordinates: str
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
    method = literal(str(run.attrs.get("method", "")))
    details = " · ".join([*shown, *run.attrs.get("remarks", ()), f"{grid} points", method])
    quantities = tuple(
        Quantity(f["name"], len(f["variables"]), f["complex"], _reader(run, f["variables"], axes, time))
        for f in fields
    )
    times = np.asarray(run[time].values, dtype=float) if time is not None else np.zeros(0)
    if time is not None and not len(times):
        raise OutputError("the dataset holds no frame")
    title, coordinates = str(run.attrs.get("title", "")), str(run.attrs.get("coordinate_system", "cartesian"))
    return Scene(title, details, coordinates, axes, time, times, quantities)


def drawable(run: "xarray.Dataset") -> "xarray.Dataset":
    """The run itself; a sweep as a run over its first parameter, of the last frames of sound members.

    Further parameters stand at their middle value, as the remarks say. Raises `PictureError` where no
    member has a last frame.
    """
    swept = [names[0] for names in json.loads(run.attrs.get("sweep", "[]"))]
    if not swept:
        return run
    first, *others = swept
    axes = [a["name"] for a in json.loads(run.attrs["axes"])]
    time = next((str(d) for d in run.dims if d not in {*swept, *axes}), None)
    remarks = []
    if time is not None:
        if not run.sizes[time]:
            raise OutputError("the dataset holds no frame")
        remarks.append(f"{mathtext(time)} = {number(float(run[time].values[-1]))}")
        run = run.isel({time: -1}).drop_vars(time)
    for name in others:
        middle = run.sizes[name] // 2
        remarks.append(f"{mathtext(name)} = {number(float(run[name].values[middle]))}")
        run = run.isel({name: middle})
    fields = [v for f in json.loads(run.attrs["fields"]) for v in f["variables"]]
    sound = np.all([np.isfinite(run[v]).all(axes).values for v in fields], axis=0)
    if not sound.any():
        raise PictureError("no member of the sweep came to its end")
    run = run.isel({first: np.flatnonzero(sound)}).sortby(first)
    return run.assign_attrs(sweep="[]", remarks=remarks)


def _closed_points(points: np.ndarray, axis: Mapping[str, float]) -> np.ndarray:
    return np.append(points, points[0] + axis["upper"] - axis["lower"]) if axis["periodic"] else points


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


def only(scene: Scene, run: "xarray.Dataset", field: str) -> Scene:
    """The scene with one field or component. Raises `PictureError` if there is none of that name."""
    variable = field.replace(".", "_")
    chosen = [q for q in scene.quantities if q.name == field]
    if not chosen and variable in run.data_vars:
        reader = _reader(run, [variable], scene.axes, scene.time)
        chosen = [Quantity(field, 1, np.iscomplexobj(run[variable]), reader)]
    if not chosen:
        names = ", ".join(q.name for q in scene.quantities)
        raise PictureError(f"the data hold no field `{field}`; there are {names}")
    return replace(scene, quantities=tuple(chosen))


def quantity_of(
    drawing: "Drawing", scene: Scene, run: "xarray.Dataset", outline: "Outline", params: Mapping[str, float]
) -> Quantity:
    """What a drawing of the spec shows: a field, a component, or an expression evaluated frame by frame."""
    if drawing.formula is None:
        return only(scene, run, drawing.field).quantities[0]
    from nablax.backends.formulas import Place, evaluate_formula, frame_values

    formula, place = drawing.formula, Place(outline.grid, outline.accuracy)
    names = {c: c.replace(".", "_") for f in outline.fields for c in f.components}

    def frame(i: int) -> np.ndarray:
        at = {} if scene.time is None else {scene.time: i}
        fields = {name: run[variable].isel(at).values for name, variable in names.items()}
        t = float(scene.times[i]) if len(scene.times) else 0.0
        values = evaluate_formula(formula, frame_values(outline, t, fields, params), place)
        return _closed(np.broadcast_to(values, place.shape)[None], scene.axes)

    return Quantity(drawing.field, 1, np.iscomplexobj(frame(scene.last)), frame)
