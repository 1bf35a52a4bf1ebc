"""The steps of a run whose derivatives in time remember the past: known before it starts."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nablax.plan import Recall, Stepping

HAIR = 1e-9  # of a step: rounding makes no further one


def step_times(
    recall: Recall, dt: float | None, run: tuple[float, float], times: Sequence[float]
) -> tuple[np.ndarray, ...]:
    """Per interval between two consecutive `times`, the times of its steps, both ends included.

    With `dt`, equal steps of at most that. Without, those of the graded mesh of the whole run, stretched so
    that every one of `times` is met: where `times` are points of the mesh, it is the mesh itself.
    """
    start, end = run
    if dt is not None:
        counts = [max(int(np.ceil((b - a) / dt - HAIR)), 1 if b > a else 0) for a, b in pairwise(times)]
        return tuple(np.linspace(a, b, n + 1) for (a, b), n in zip(pairwise(times), counts, strict=True))
    found = []
    for a, b in pairwise(times):
        low, high = (
            recall.steps * _grown(recall, (t - start) / (end - start)) ** (1 / recall.grading) for t in (a, b)
        )
        count = max(int(np.ceil(high - low - 1e3 * HAIR)), 1 if b > a else 0)
        places = low + (high - low) * np.arange(count + 1) / max(count, 1)
        steps = start + (end - start) * _elapsed(recall, (places / recall.steps) ** recall.grading)
        steps[0], steps[-1] = a, b
        found.append(steps)
    return tuple(found)


def _elapsed(recall: Recall, grown: np.ndarray) -> np.ndarray:
    """The share of the duration in which ψ takes a share of its growth."""
    return _translated(grown, [s for s, _ in recall.shares], [t for _, t in recall.shares])


def _grown(recall: Recall, elapsed: float) -> float:
    """The share of its growth that ψ takes in a share of the duration."""
    found = _translated(np.asarray(elapsed), [t for _, t in recall.shares], [s for s, _ in recall.shares])
    return float(found)


def _translated(values: np.ndarray, known: Sequence[float], wanted: Sequence[float]) -> np.ndarray:
    """A power law between neighbours of a table of logarithms, and before its first; itself without one."""
    if not known:
        return values
    positive = values > 0
    logs = np.log(np.where(positive, values, 1.0))
    slope = (wanted[1] - wanted[0]) / (known[1] - known[0])
    early = wanted[0] + slope * (logs - known[0])
    found = np.where(logs < known[0], early, np.interp(logs, known, wanted))
    return np.where(positive, np.exp(found), 0.0)


def mesh_of(
    stepping: Stepping, frames: Sequence[float], times: Sequence[float] | None = None
) -> tuple[np.ndarray, ...]:
    """The steps of a run with memory between its frames, or between other times."""
    assert stepping.recall is not None
    return step_times(
        stepping.recall, stepping.dt, (frames[0], frames[-1]), frames if times is None else times
    )


def steps_between(stepping: Stepping, frames: Sequence[float], time: float, until: float) -> np.ndarray:
    """The times of the steps from `time` (or what rounding made of it) to `until`, both included.

    Between two frames they are those of the run's mesh, from wherever `time` is on it.
    """
    near = HAIR * (frames[-1] - frames[0])
    for a, b in pairwise(frames):
        if abs(b - until) <= near and a - near <= time:
            (whole,) = mesh_of(stepping, frames, (a, b))
            return whole[int(np.argmin(np.abs(whole - time))) :]
    (found,) = mesh_of(stepping, frames, (time, until))
    return found
