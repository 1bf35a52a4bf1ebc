"""What a saved run goes on from: the solver's own state at its last frame, beside the frames.

The state is kept in the solver's representation (Fourier coefficients, the step that the control would
take next): a run that goes on makes the same numbers as one that was never stopped.
"""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nablax.backends.frames import Frame
from nablax.backends.output.paths import OutputError

if TYPE_CHECKING:
    import xarray

    from nablax.backends.interface import State
    from nablax.outline import Outline


@dataclass(frozen=True, slots=True)
class Saved:
    """A run to go on with: its first `frames` frames, and the state at the last of them."""

    path: Path
    frames: int
    state: "State"


def restart_file(path: Path) -> Path:
    """Where the state of a dataset lies: beside it, hidden."""
    return path.with_name(f".{path.name}.restart.npz")


def keep_state(path: Path, frames: int, state: "State | None") -> None:
    """Write the state after `frames` frames, whole or not at all. Raises OSError."""
    if state is None:
        return
    file = restart_file(path)
    neighbour = file.with_suffix(".partial")
    arrays: dict[str, np.ndarray] = {f"y{i}": np.asarray(a) for i, a in enumerate(state.y)}
    arrays |= {"frames": np.asarray(frames), "t": np.asarray(state.t), "dt": np.asarray(state.dt)}
    with zipfile.ZipFile(neighbour, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)
    os.replace(neighbour, file)


def find_saved(path: Path, outline: "Outline", params: Mapping[str, float]) -> Saved:
    """The run in `path`, if the plan can go on with it. Raises `OutputError` that says what differs."""
    from nablax.backends.interface import State
    from nablax.backends.output.store import open_run

    if outline.time is None:
        raise OutputError("a steady problem has no time to go on from")
    with open_run(path) as run:
        _check(run, path, outline, params)
        written = int(run.sizes[outline.time])
    try:
        with np.load(restart_file(path), allow_pickle=False) as kept:
            frames = int(kept["frames"])
            names = sorted((n for n in kept.files if n.startswith("y")), key=lambda n: int(n[1:]))
            state = State(kept["t"][()], tuple(kept[n] for n in names), kept["dt"][()])
    except (OSError, ValueError, KeyError, EOFError):
        raise OutputError(f"`{path}` holds no state to go on from") from None
    except Exception as error:  # whatever a damaged archive makes the reader raise
        raise OutputError(f"the state in `{path}` cannot be read ({type(error).__name__})") from None
    if len(state.y) != len(outline.evolving) + outline.remembered or frames > written:
        raise OutputError(f"the state in `{path}` does not belong to its frames")
    if float(state.t) > outline.frames[-1] * (1 + 1e-12):
        reached = f"{outline.time} = {float(state.t):g}"
        raise OutputError(f"`{path}` has come to {reached}, beyond the end at {outline.frames[-1]:g}")
    return Saved(path, frames, state)


def _check(run: "xarray.Dataset", path: Path, outline: "Outline", params: Mapping[str, float]) -> None:
    axes = [(a.name, a.lower, a.upper, a.periodic) for a in outline.grid]
    saved = [(a["name"], a["lower"], a["upper"], a["periodic"]) for a in json.loads(run.attrs["axes"])]
    if axes != saved or [run.sizes.get(a.name) for a in outline.grid] != [a.points for a in outline.grid]:
        raise OutputError(f"`{path}` was computed on another grid: a restart keeps axes and `n`")
    fields = [(f.name, f.rank, f.complex) for f in outline.fields]
    if fields != [(f["name"], f["rank"], f["complex"]) for f in json.loads(run.attrs["fields"])]:
        raise OutputError(f"`{path}` holds other fields")
    method = f"{outline.method} / {outline.stepping.name}"
    if run.attrs["method"] != method:
        raise OutputError(f"`{path}` was computed by {run.attrs['method']}, and this is {method}")
    kinds = {
        run[f["variables"][0]].dtype.itemsize // (2 if f["complex"] else 1)
        for f in json.loads(run.attrs["fields"])
    }
    if kinds != {np.dtype(outline.dtype).itemsize}:
        raise OutputError(f"`{path}` was computed in another precision than {outline.dtype}")
    before = json.loads(run.attrs["parameters"])
    for name, value in params.items():
        if name not in before or before[name] != value:
            was = f"with {name} = {before[name]:g}" if name in before else f"without `{name}`"
            raise OutputError(f"`{path}` was computed {was}, and {name} is {value:g} here")


def replay(saved: Saved, outline: "Outline") -> Iterator[Frame]:
    """The frames before a restart; the index is that of the plan's output time, -1 where it has none."""
    from nablax.backends.output.store import open_run

    assert outline.time is not None
    near = 1e-9 * (outline.frames[-1] - outline.frames[0])
    with open_run(saved.path) as run:
        times = np.asarray(run[outline.time].values, float)
        for i in range(saved.frames):
            k = int(np.argmin(np.abs(np.asarray(outline.frames) - times[i])))
            index = k if abs(outline.frames[k] - times[i]) <= near else -1
            names = [c for f in outline.fields for c in f.components]
            fields = {c: run[c.replace(".", "_")].isel({outline.time: i}).values for c in names}
            yield Frame(index, float(times[i]), fields, 0, 0, 0.0)
