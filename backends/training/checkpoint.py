"""Checkpoints: one file each, written whole or not at all, read without trust and without pickle.

A file is a zip of arrays as NumPy writes them, with a JSON manifest among them. The state has no structure
of its own there: it is that of a run of the same spec, whose fingerprint the manifest holds.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from nablax.backends.output.paths import OutputError, reason
from nablax.backends.training.loop import Position, State
from nablax.backends.training.progress import Kept, Progress, params_of
from nablax.backends.training.records import Reading
from nablax.backends.training.task import Task
from nablax.frontend.diagnostics import Report
from nablax.frontend.parser import parse
from nablax.frontend.source import Source
from nablax.training.records import Phase

Tree = TypeVar("Tree")

FORMAT = 2
KEPT = 3  # checkpoints of a run; older ones go
_PREFIX, _SUFFIX = "step-", ".npz"
OPTIONS = {
    "model": "model", "counts": "points", "sampler": "sampler", "weighting": "weights", "seed": "seed",
    "dtype": "dtype", "hard": "hard", "windows": "windows", "ensemble": "ensemble", "batch": "batch",
}  # fmt: skip
"""Entries of a `Training` that its numbers depend on, with the options that set them."""


class ForeignCheckpoint(OutputError):
    """A checkpoint of a run of another spec, or with other options."""


def fingerprint(task: Task) -> dict[str, str]:
    """Digests of everything that the numbers of a run depend on, by what messages call it.

    Budgets of time, places of files and `expect` do not count; nor does the number of steps of the last
    phase, where its learning rate does not depend on it.
    """
    problem, training = task.system.problem, task.training
    parts: dict[str, object] = {
        "the spec": _stated(problem.source),
        "the parameters": {p.name: str(p.value) for p in problem.parameters},
        "`steps`": _phases(training.phases),
        "`derivatives`": [
            (o.name, o.value) for o in problem.train if o.name in ("derivatives", "quadrature")
        ],
    }
    for name, asked in OPTIONS.items():
        parts[f"`{asked}`"] = getattr(training, name)
    return {
        name: hashlib.sha256(str(part).encode("utf-8", errors="surrogatepass")).hexdigest()
        for name, part in parts.items()
    }


def _stated(source: Source) -> str:
    """The text without `train`, which has parts of its own, and `expect`, which changes no number."""
    module = parse(source, Report(source))
    text = source.text
    for block in reversed(() if module is None else module.blocks):
        if block.name.id in ("train", "expect"):
            text = text[: block.span.start] + text[block.span.end :]
    return " ".join(text.split())


def _phases(phases: Sequence[Phase]) -> list[Phase]:
    *before, last = (replace(p, span=None) for p in phases)
    return [*before, last if last.schedule == "cosine" else replace(last, steps=0)]


def save(folder: Path, task: Task, progress: Progress) -> Path:
    """Write a checkpoint beside the earlier ones, then drop the oldest. Raises `OutputError`."""
    path = folder / f"{_PREFIX}{progress.position.total:09d}{_SUFFIX}"
    kept = (*progress.finished, progress.kept)
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves((params_of(kept), progress.state))]
    manifest = {
        "format": FORMAT,
        "fingerprint": fingerprint(task),
        "position": asdict(progress.position),
        "kept": [{"step": k.step, "steps": k.steps, "loss": k.loss, "held": k.held} for k in kept],
        "leaves": len(leaves),
        "readings": [asdict(r) for r in progress.readings],
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for i, leaf in enumerate(leaves):
            with archive.open(f"leaf{i}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, leaf, allow_pickle=False)
    write_whole(path, data.getvalue())
    _drop_old(folder, fingerprint(task))
    return path


def write_whole(path: Path, data: bytes) -> None:
    """The file as it was or as it shall be, also after a loss of power. Raises `OutputError`."""
    neighbour = path.with_name(f".{path.name}.partial")
    try:
        with neighbour.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(neighbour, path)
    except OSError as error:
        raise OutputError(f"`{path}` cannot be written ({reason(error)})") from None


def saved(folder: Path) -> tuple[Path, ...]:
    """The checkpoints in a folder, the newest first."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), reverse=True))


def _drop_old(folder: Path, mine: Mapping[str, str]) -> None:
    """Keep the newest of this run; those of other runs go once this one has a checkpoint of its own."""
    own = 0
    for path in saved(folder):
        same = _fingerprint_in(path) == mine
        own += same
        if not same or own > KEPT:
            path.unlink(missing_ok=True)


def _fingerprint_in(path: Path) -> object:
    try:
        with zipfile.ZipFile(path) as archive:
            found: object = json.loads(archive.read("manifest.json"))["fingerprint"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    return found


Template: TypeAlias = Callable[[Sequence[Kept], int], State]
"""(windows that are done, phase of the one under way) to a state of the kind that it has there."""


def load(folder: Path, task: Task, start: Progress, template: Template) -> Progress:
    """The newest checkpoint of this run that can be read; `start` is where the run begins.

    Raises `OutputError` that says why there is none, `ForeignCheckpoint` for those of another run.
    """
    files = saved(folder)
    if not files:
        raise OutputError(f"`{folder}` holds no checkpoint to go on from")
    first: OutputError | None = None
    for path in files:
        try:
            return _load(path, task, start, template)
        except OutputError as error:
            first = first or error
    assert first is not None
    raise first


def _differing(found: object, wanted: Mapping[str, str]) -> list[str]:
    """What two fingerprints differ in; the first one comes from a file."""
    known = found if isinstance(found, dict) else {}
    return [name for name, digest in wanted.items() if known.get(name) != digest]


def _load(path: Path, task: Task, start: Progress, template: Template) -> Progress:
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if manifest["format"] != FORMAT:
                age = "a newer" if manifest["format"] > FORMAT else "an older"
                raise OutputError(f"`{path}` was written by {age} nablax (format {manifest['format']})")
            differing = _differing(manifest["fingerprint"], fingerprint(task))
            if differing:
                verb = "differs" if len(differing) == 1 else "differ"
                raise ForeignCheckpoint(f"`{path}` belongs to another run: {' and '.join(differing)} {verb}")
            arrays = []
            for i in range(int(manifest["leaves"])):
                with archive.open(f"leaf{i}.npy") as member:
                    arrays.append(np.lib.format.read_array(member, allow_pickle=False))
            position = Position(**manifest["position"])
            readings = tuple(Reading(**r) for r in manifest["readings"])
            notes = manifest["kept"]
            if not 0 <= position.window == len(notes) - 1 < len(task.course):
                raise ValueError("windows and their states differ in number")
            if not 0 <= position.phase < len(task.training.phases):
                raise ValueError("there is no such phase")
        size = len(jax.tree.leaves(start.state.params))
        kept = tuple(
            replace(Kept(_fitted(path, start.state.params, arrays[k * size : (k + 1) * size])), **note)
            for k, note in enumerate(notes)
        )
    except OutputError:
        raise
    except Exception as error:  # whatever a damaged archive makes the readers raise
        raise OutputError(f"`{path}` is no checkpoint that can be read ({type(error).__name__})") from None
    *finished, best = kept
    state = _fitted(path, template(finished, position.phase), arrays[len(kept) * size :])
    return Progress(state, position, best, tuple(finished), readings)


def _fitted(path: Path, template: Tree, arrays: Sequence[np.ndarray]) -> Tree:
    """Arrays in the structure of a template, where they have its shapes."""
    wanted, tree = jax.tree.flatten(template)
    shapes = [(np.shape(a), np.asarray(a).dtype) for a in wanted]
    if shapes != [(a.shape, a.dtype) for a in arrays]:
        raise OutputError(f"`{path}` does not fit the network and the points of this run")
    found: Tree = jax.tree.unflatten(tree, [jnp.asarray(a) for a in arrays])
    return found
