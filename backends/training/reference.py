"""A reference for a trained field from the project's own solver, with its own error beside it.

The solver runs on grids of twice as many cells until two successive solutions agree well enough, or the CPU
time for it is spent: a busy machine does not decide how good a reference is. Their distance is the error of
the finer one, estimated from above.
"""

from collections.abc import Callable, Iterator, Mapping
from time import process_time

import numpy as np

from nablax.backends.build import build
from nablax.backends.frames import Frame, NumericalFailure, Unsolved
from nablax.backends.interface import Unsupported
from nablax.backends.training.records import Score
from nablax.backends.training.values import Evaluate, on_host
from nablax.plan import GridAxis, Plan

SECONDS = 60.0  # of CPU
AGREE = 1e-5  # relative distance at which a reference is good enough for any network in single precision
FINEST = {1: 4096, 2: 256, 3: 64}
Frames = list[Mapping[str, np.ndarray]]

Planner = Callable[[int], Plan | None]
"""Cells or points along every axis to the plan on that grid; None where there is none."""


def score(evaluate: Evaluate, dtype: str, plan: Plan, planner: Planner) -> tuple[Score, ...]:
    """Relative L2 distances over all frames, by field. Empty where the solver gives no two solutions."""
    started = process_time()
    coarse: tuple[Plan, Frames] | None = None
    found: tuple[Plan, Frames, dict[str, float]] | None = None
    for finer in _grids(plan, planner):
        frames = _solved(finer)
        if frames is None:
            break
        if coarse is not None:
            distances = _distances(coarse[0], coarse[1], finer, frames)
            found = (finer, frames, distances)
            if max(distances.values()) < AGREE:
                break
        coarse = (finer, frames)
        # The next grid takes at least four times as long; without a second one there is no reference at all.
        if process_time() - started > (SECONDS if found is None else SECONDS / 4):
            break
    if found is None:
        return ()
    finest, frames, distances = found
    own = on_host(evaluate, _points(finest), dtype)
    how = f"the {finest.method} solver at n = {finest.grid[0].n}"
    return tuple(
        Score(name, relative(own[name], np.stack([f[name] for f in frames])), distance, how)
        for name, distance in distances.items()
    )


def _grids(plan: Plan, planner: Planner) -> Iterator[Plan]:
    n = max(a.n for a in plan.grid) // 2
    while n <= FINEST.get(len(plan.grid), 0):
        found = planner(n)
        if found is None:
            return
        yield found
        n *= 2


def _solved(plan: Plan) -> Frames | None:
    try:
        return [e.fields for e in build(plan).stream() if isinstance(e, Frame)]
    except (NumericalFailure, Unsolved, Unsupported):
        return None


def _distances(coarse: Plan, before: Frames, fine: Plan, after: Frames) -> dict[str, float]:
    """At the nodes that both grids have."""
    steps = [_ratio(a, b) for a, b in zip(coarse.grid, fine.grid, strict=True)]
    common = tuple(slice(None, None, s) for s in steps)
    return {
        name: relative(np.stack([f[name] for f in before]), np.stack([f[name][common] for f in after]))
        for name in after[-1]
    }


def _ratio(coarse: GridAxis, fine: GridAxis) -> int:
    return fine.n // coarse.n


def relative(values: np.ndarray, reference: np.ndarray) -> float:
    """‖values - reference‖/‖reference‖, of arrays of one size; without the divisor where that is zero."""
    scale = float(np.linalg.norm(reference))
    error = float(np.linalg.norm(values.reshape(reference.shape) - reference))
    return error / scale if scale else error


def _points(plan: Plan) -> np.ndarray:
    """Every node of every frame: [frames, *grid, axes], time last where there is one."""
    lines = [a.first + a.spacing * np.arange(a.points) for a in plan.grid]
    if plan.system.time is None:
        return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
    every = np.meshgrid(np.asarray(plan.frames), *lines, indexing="ij")
    return np.stack([*every[1:], every[0]], axis=-1)
