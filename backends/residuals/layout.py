"""Which columns of a point belong to which axis: one each, and as many as it has members to a family."""

from dataclasses import dataclass

import numpy as np

from nablax.problem import Axis, Problem
from nablax.sampling import sample


@dataclass(frozen=True, slots=True)
class Slot:
    """An axis with its first column, its number of columns, and its ends at the nominal parameters."""

    axis: Axis
    start: int
    size: int
    low: float
    high: float

    @property
    def columns(self) -> slice:
        return slice(self.start, self.start + self.size)


def layout(problem: Problem) -> tuple[Slot, ...]:
    """Space axes in declared order, then time."""
    values = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    found: list[Slot] = []
    start = 0
    for axis in problem.axes if problem.time is None else (*problem.axes, problem.time):
        size = axis.size or 1
        low, high = (float(sample(end, values)) for end in (axis.lower, axis.upper))
        found.append(Slot(axis, start, size, low, high))
        start += size
    return tuple(found)


def columns(problem: Problem) -> int:
    """Coordinates of a point."""
    return sum(a.size or 1 for a in problem.axes) + (problem.time is not None)
