"""The lowerings of one kernel timed on this device, and the choice kept for the next time.

A choice is a JSON file in the user's cache, named by a hash of the kernel's program, the shape and dtype
in it, the stepper, the device and the versions. What cannot be read, or says something impossible, is
measured again.
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import jax

from nablax.frontend.caching import cache_folder

Runs = Mapping[int, Callable[[int], object]]
"""By steps in a bundle: a program that makes so many steps, and has made them when it returns."""

BUNDLES = (1, 2, 4, 8, 16)
ROUNDS = 5
SECONDS = 0.05  # one timed run


def tuned(kernel: str, stepper: str, runs: Runs) -> int:
    """The fastest of `runs`: the kept choice, or measured now. `kernel` is the text of its program."""
    path = _path(kernel, stepper, tuple(runs))
    kept = None if path is None else _kept(path, runs)
    if kept is not None:
        return kept
    seconds = measured(runs)
    fastest = min(seconds, key=lambda steps: seconds[steps])
    if path is not None:
        _keep(path, {"steps": fastest, "seconds": {str(k): v for k, v in seconds.items()}})
    return fastest


def measured(runs: Runs) -> dict[int, float]:
    """Seconds per step: the shortest of several runs, in turn, so that a disturbance meets all."""
    for run in runs.values():
        run(max(runs))  # compiles
    count = max(runs)
    first = next(iter(runs.values()))
    while count < 2**20:
        started = perf_counter()
        first(count)
        if perf_counter() - started > SECONDS:
            break
        count *= 2
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for steps, run in runs.items():
            started = perf_counter()
            run(count)
            best[steps] = min(best[steps], (perf_counter() - started) / count)
    return best


def _path(kernel: str, stepper: str, bundles: tuple[int, ...]) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    device = jax.devices()[0]
    about = (
        kernel, stepper, repr(bundles), device.platform, device.device_kind, str(os.cpu_count()),
        jax.__version__, version("nablax"),
    )  # fmt: skip
    return folder / f"lowering-{sha256(json.dumps(about).encode()).hexdigest()[:32]}.json"


def _kept(path: Path, runs: Runs) -> int | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    steps = found.get("steps") if isinstance(found, dict) else None
    return steps if type(steps) is int and steps in runs else None


def _keep(path: Path, choice: Mapping[str, object]) -> None:
    # Another process may read at any moment: the file appears whole.
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".json")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(choice, file)
        os.replace(name, path)
    except OSError:
        pass
