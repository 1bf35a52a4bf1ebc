"""What a dataset holds besides its frames: dimensions, coordinates, variables and attributes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nablax.backends.frames import Frame
from nablax.backends.output.paths import SCHEMA, SCHEMA_ATTRIBUTE, OutputError

if TYPE_CHECKING:
    from nablax.outline import Outline

CHUNK_BYTES = 1 << 18  # small frames share a chunk: a folder of ten thousand tiny files serves nobody


@dataclass(frozen=True, slots=True)
class Variable:
    """A saved component: `name` is `U_x`, `component` is `U.x`."""

    name: str
    component: str
    complex: bool


@dataclass(frozen=True, slots=True)
class Coordinate:
    """The grid points of an axis, shape (points,)."""

    name: str
    points: np.ndarray


@dataclass(frozen=True, slots=True)
class Lead:
    """A dimension of a sweep, before time: values (points,) by parameter, the one it is named by first."""

    values: Mapping[str, np.ndarray]

    @property
    def name(self) -> str:
        return next(iter(self.values))

    @property
    def size(self) -> int:
        return len(self.values[self.name])


@dataclass(frozen=True, slots=True)
class Layout:
    """What a dataset holds besides its frames. `time` is None for a steady problem.

    With `leads`, frames hold arrays of shape (leads..., grid...).
    """

    time: str | None
    axes: tuple[Coordinate, ...]
    variables: tuple[Variable, ...]
    attributes: Mapping[str, str | int]
    dtype: str
    leads: tuple[Lead, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(a.points) for a in self.axes)

    @property
    def dims(self) -> tuple[str, ...]:
        space = tuple(a.name for a in self.axes)
        time = () if self.time is None else (self.time,)
        return (*(d.name for d in self.leads), *time, *space)

    def extent(self, frames: int) -> tuple[int, ...]:
        """The shape of a variable that holds so many frames."""
        time = () if self.time is None else (frames,)
        return (*(d.size for d in self.leads), *time, *self.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        time = () if self.time is None else (self.together,)
        return (*(1 for _ in self.leads), *time, *self.shape)

    def between(self, start: int, end: int) -> tuple[slice, ...]:
        """Where frames lie in a variable."""
        return (*(slice(None) for _ in self.leads), slice(start, end))

    def stacked(self, frames: Sequence[Frame], component: str) -> np.ndarray:
        """A component of several frames as a variable holds them."""
        return np.stack([f.fields[component] for f in frames], axis=len(self.leads))

    @property
    def together(self) -> int:
        """Frames in a chunk."""
        return max(1, CHUNK_BYTES // (prod(self.shape) * np.dtype(self.dtype).itemsize))


def layout(outline: "Outline", parameters: Mapping[str, float], leads: tuple[Lead, ...] = ()) -> Layout:
    """The layout of a plan's dataset. Raises `OutputError` if two variables would have one name."""
    variables = tuple(
        Variable(c.replace(".", "_"), c, f.complex) for f in outline.fields for c in f.components
    )
    names = [v.name for v in variables] + [
        f"{v.name}_{p}" for v in variables if v.complex for p in ("re", "im")
    ]
    names += [name for lead in leads for name in lead.values]
    for name in names:
        if names.count(name) > 1:
            raise OutputError(f"two quantities would be saved under the name `{name}`")
    return Layout(
        time=outline.time,
        axes=tuple(
            Coordinate(a.name, a.first + a.spacing * np.arange(a.points, dtype=np.float64))
            for a in outline.grid
        ),
        variables=variables,
        attributes=_attributes(outline, parameters, leads),
        dtype=outline.dtype,
        leads=leads,
    )


def _attributes(
    outline: "Outline", parameters: Mapping[str, float], leads: tuple[Lead, ...]
) -> dict[str, str | int]:
    fields = [
        {
            "name": f.name,
            "rank": f.rank,
            "complex": f.complex,
            "variables": [c.replace(".", "_") for c in f.components],
        }
        for f in outline.fields
    ]
    axes = [
        {"name": a.name, "lower": a.lower, "upper": a.upper, "periodic": a.periodic} for a in outline.grid
    ]
    return {
        SCHEMA_ATTRIBUTE: SCHEMA,
        "Conventions": "CF-1.11",
        "title": outline.title,
        "spec_name": outline.source.name,
        "spec": outline.source.text,
        "parameters": json.dumps(dict(parameters)),
        "fields": json.dumps(fields),
        "axes": json.dumps(axes),
        "coordinate_system": outline.coordinates,
        "method": f"{outline.method} / {outline.stepping.name}",
        "versions": json.dumps({name: version(name) for name in ("nablax", "jax", "numpy")}),
        "seed": json.dumps(list(outline.seeds)),
        "sweep": json.dumps([list(lead.values) for lead in leads]),
        "complete": 0,
        "frames_written": 0,
    }
