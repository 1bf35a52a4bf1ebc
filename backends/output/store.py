"""Saved runs: frames appended one by one to a dataset that is readable at any moment.

Zarr (a folder, format 2 with consolidated metadata) or netCDF 4 (one `.nc` file), chosen by suffix. The
dimensions are time, then the axes in declared order, with coordinates; one variable a component (`u`,
`U_x`). A complex component is complex in Zarr, and `psi_re`, `psi_im` in netCDF, which has no complex
numbers. Zarr is the one to watch or to kill: a reader sees whole frames only, since the metadata that
counts them is replaced in one atomic write after the data. A netCDF file is closed after every write.
"""

import json
import shutil
from collections.abc import Sequence
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nablax.backends.frames import Frame
from nablax.backends.output.dataset import Layout, Variable
from nablax.backends.output.paths import DATA_SUFFIXES, SCHEMA, SCHEMA_ATTRIBUTE, OutputError, claim, reason
from nablax.backends.output.restart import keep_state, restart_file

if TYPE_CHECKING:
    import h5netcdf
    import xarray
    import zarr

PATIENCE = 0.5  # seconds that a frame may wait for company


class Sink(Protocol):
    """An open dataset that grows along time."""

    def extend(self, frames: Sequence[Frame]) -> None:
        """Add frames; a reader sees all of them or none."""
        ...

    def close(self, complete: bool) -> None:
        """Record whether the run reached its end."""
        ...


class Writer:
    """Hands frames to a sink, several small ones at a time: a chunk full, or those of half a second.

    `frames` counts the frames handed in, `path` is where the dataset lies. Both methods raise
    `OutputError` when the disk refuses.
    """

    def __init__(self, path: Path, sink: Sink, together: int, frames: int = 0) -> None:
        self.path = path
        self.frames = frames
        self._sink = sink
        self._together = together
        self._pending: list[Frame] = []
        self._written_at = -inf

    def append(self, frame: Frame) -> None:
        self._pending.append(frame)
        self.frames += 1
        if len(self._pending) >= self._together or monotonic() - self._written_at > PATIENCE:
            self._flush()

    def close(self, complete: bool) -> None:
        """Write what is pending and record whether the run reached its end."""
        self._flush()
        try:
            self._sink.close(complete)
        except OSError as error:
            raise OutputError(f"`{self.path}` cannot be written ({reason(error)})") from None

    def _flush(self) -> None:
        if self._pending:
            try:
                self._sink.extend(self._pending)
                # After the frames: a run killed in between goes on from an earlier one.
                keep_state(self.path, self.frames, self._pending[-1].state)
            except OSError as error:
                raise OutputError(f"`{self.path}` cannot be written ({reason(error)})") from None
            self._pending.clear()
        self._written_at = monotonic()


def create(path: Path, layout: Layout) -> Writer:
    """Start a dataset, replacing one that nablax wrote. Raises `OutputError` if the path is not ours."""
    if path.suffix not in DATA_SUFFIXES:
        raise OutputError(f"`{path}` ends in neither `.zarr` nor `.nc`")
    claim(path)
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        restart_file(path).unlink(missing_ok=True)
        sink = _ZarrSink(path, layout) if path.suffix == ".zarr" else _NetcdfSink(path, layout)
    except OSError as error:
        raise OutputError(f"`{path}` cannot be written ({reason(error)})") from None
    return Writer(path, sink, layout.together)


def reopen(path: Path, layout: Layout, frames: int) -> Writer:
    """Go on with a dataset after its first `frames` frames; what it holds beyond them is dropped."""
    try:
        sink: Sink
        if path.suffix == ".zarr":
            sink = _ZarrSink(path, layout, frames)
        else:
            sink = _NetcdfSink(path, layout, frames)
    except OSError as error:
        raise OutputError(f"`{path}` cannot be written ({reason(error)})") from None
    return Writer(path, sink, layout.together, frames)


class _ZarrSink:
    def __init__(self, path: Path, layout: Layout, kept: int | None = None) -> None:
        import zarr

        self._layout = layout
        self._frames = 0
        if kept is not None:
            self._reopen(path, kept)
            return
        self._group = zarr.create_group(path, zarr_format=2, attributes=dict(layout.attributes))
        for axis in layout.axes:
            shape = axis.points.shape
            self._array(axis.name, (axis.name,), shape, shape, "float64")[...] = axis.points
        for lead in layout.leads:
            for name, values in lead.values.items():
                self._array(name, (lead.name,), values.shape, values.shape, "float64")[...] = values
        self._times = None
        if layout.time is not None:
            self._times = self._array(layout.time, (layout.time,), (0,), (1024,), "float64")
        self._variables = [
            (v, self._array(v.name, layout.dims, layout.extent(0), layout.chunks, _dtype(layout.dtype, v)))
            for v in layout.variables
        ]
        self._publish()

    def _reopen(self, path: Path, kept: int) -> None:
        import zarr

        self._group = zarr.open_group(path, mode="r+", zarr_format=2, use_consolidated=False)
        assert self._layout.time is not None
        times = self._group[self._layout.time]
        assert isinstance(times, zarr.Array)
        self._times = times
        self._variables = []
        for v in self._layout.variables:
            array = self._group[v.name]
            assert isinstance(array, zarr.Array)
            array.resize(self._layout.extent(kept))
            self._variables.append((v, array))
        times.resize((kept,))
        self._frames = kept
        self._group.attrs.update({"frames_written": kept, "complete": 0})
        self._publish()

    def _array(
        self, name: str, dims: tuple[str, ...], shape: tuple[int, ...], chunks: tuple[int, ...], dtype: str
    ) -> "zarr.Array[Any]":
        return self._group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            fill_value=np.nan,
            attributes={"_ARRAY_DIMENSIONS": list(dims)},
        )

    def extend(self, frames: Sequence[Frame]) -> None:
        start, end = self._frames, self._frames + len(frames)
        for v, array in self._variables:
            if self._times is None:
                array[...] = frames[-1].fields[v.component]
            else:
                array.resize(self._layout.extent(end))
                array[self._layout.between(start, end)] = self._layout.stacked(frames, v.component)
        if self._times is not None:
            self._times.resize((end,))
            self._times[start:end] = np.array([f.t for f in frames])
        self._frames = end
        self._group.attrs["frames_written"] = end
        self._publish()

    def _publish(self) -> None:
        # Readers go by the consolidated metadata: one file, replaced atomically, so counts always agree.
        import zarr

        zarr.consolidate_metadata(self._group.store, zarr_format=2)

    def close(self, complete: bool) -> None:
        self._group.attrs["complete"] = int(complete)
        self._publish()


class _NetcdfSink:
    def __init__(self, path: Path, layout: Layout, kept: int | None = None) -> None:
        self._path = path
        self._layout = layout
        self._frames = kept or 0
        if kept is not None:
            assert layout.time is not None
            with self._open("a") as file:
                file.resize_dimension(layout.time, kept)
                file.attrs["frames_written"], file.attrs["complete"] = kept, 0
            return
        with self._open("w") as file:
            for name, value in layout.attributes.items():
                file.attrs[name] = value
            if layout.time is not None:
                file.dimensions[layout.time] = None
                file.create_variable(layout.time, (layout.time,), "float64", fillvalue=np.nan)
            for axis in layout.axes:
                file.dimensions[axis.name] = len(axis.points)
                file.create_variable(axis.name, (axis.name,), "float64", data=axis.points)
            for lead in layout.leads:
                file.dimensions[lead.name] = lead.size
                for name, values in lead.values.items():
                    file.create_variable(name, (lead.name,), "float64", data=values)
            chunks = layout.chunks
            for v in layout.variables:
                for name in _parts(v):
                    file.create_variable(name, layout.dims, layout.dtype, fillvalue=np.nan, chunks=chunks)

    def _open(self, mode: str) -> "h5netcdf.File":
        import h5netcdf

        return h5netcdf.File(self._path, mode)

    def extend(self, frames: Sequence[Frame]) -> None:
        # Opened and closed each time: a killed run leaves a closed file, and nothing locks readers out.
        time = self._layout.time
        start, end = self._frames, self._frames + len(frames)
        with self._open("a") as file:
            if time is not None:
                file.resize_dimension(time, end)
            for v in self._layout.variables:
                one = frames[-1].fields[v.component]
                values = one if time is None else self._layout.stacked(frames, v.component)
                parts = (values.real, values.imag) if v.complex else (values,)
                for name, part in zip(_parts(v), parts, strict=True):
                    file[name][... if time is None else self._layout.between(start, end)] = part
            if time is not None:
                file[time][start:end] = np.array([f.t for f in frames])
            file.attrs["frames_written"] = end
        self._frames = end

    def close(self, complete: bool) -> None:
        with self._open("a") as file:
            file.attrs["complete"] = int(complete)


def _parts(v: Variable) -> tuple[str, ...]:
    return (f"{v.name}_re", f"{v.name}_im") if v.complex else (v.name,)


def _dtype(dtype: str, v: Variable) -> str:
    return {"float64": "complex128", "float32": "complex64"}[dtype] if v.complex else dtype


def open_run(path: Path) -> "xarray.Dataset":
    """A saved run, lazily loaded: dims (time, axes), complex fields as complex whatever the format.

    A run that was killed shows the frames it had finished. Raises `OutputError` for a path that is
    missing, unreadable or not written by nablax.
    """
    import xarray

    if not path.exists():
        raise OutputError(f"there is no `{path}`")
    try:
        if path.is_dir():
            data: xarray.Dataset = xarray.open_zarr(path, consolidated=True)
        else:
            data = xarray.open_dataset(path, engine="h5netcdf")
    except Exception as error:  # whatever a stranger's file makes the readers raise
        raise OutputError(f"`{path}` is no dataset that nablax can read ({type(error).__name__})") from None
    if SCHEMA_ATTRIBUTE not in data.attrs:
        raise OutputError(f"`{path}` was not written by nablax")
    if int(data.attrs[SCHEMA_ATTRIBUTE]) > SCHEMA:
        raise OutputError(f"`{path}` was written by a newer nablax (schema {data.attrs[SCHEMA_ATTRIBUTE]})")
    for field in json.loads(data.attrs["fields"]):
        for name in field["variables"]:
            if name not in data:
                data[name] = data[f"{name}_re"] + 1j * data[f"{name}_im"]
                data = data.drop_vars([f"{name}_re", f"{name}_im"])
    swept = json.loads(data.attrs.get("sweep", "[]"))
    data = data.set_coords([name for names in swept for name in names if name in data])
    for dim in data.dims:
        if dim not in data.coords or not np.isnan(data[dim].values).any():
            continue
        data = data.isel({dim: np.flatnonzero(~np.isnan(data[dim].values))})
    return data
