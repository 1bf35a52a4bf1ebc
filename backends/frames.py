"""What a running solver hands its host: frames, and the account of a failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from nablax.backends.interface import State


@dataclass(frozen=True, slots=True)
class Frame:
    """The fields at an output time: nodal arrays of shape `plan.shape` by component name (`U.x`)."""

    index: int
    t: float
    fields: Mapping[str, np.ndarray]
    steps: int  # taken since the frame before
    rejected: int  # steps the error control refused since the frame before
    dt: float  # the last step's size; 0 in the first frame
    residuals: tuple[float, ...] = ()  # of a steady problem: root mean squares, the first guess's first
    state: "State | None" = None  # what the solver goes on from


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life inside a frame: time reached and steps taken since the run began."""

    t: float
    steps: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Why a run stopped: the state became infinite, or the error control drove the step to nothing.

    `where` gives the coordinates of the first bad point (empty if it could not be told), `last_maximum`
    the largest finite magnitude of the field, seen at `last_t`.
    """

    kind: Literal["infinite", "step"]
    t: float
    field: str
    where: Mapping[str, float]
    last_t: float
    last_maximum: float
    dt: float


class NumericalFailure(Exception):
    """Raised by `Solver.stream` and eager `Solver.solve`; frames already yielded stay valid."""

    def __init__(self, breakdown: Breakdown) -> None:
        self.breakdown = breakdown
        super().__init__(f"`{breakdown.field}` broke down at t = {breakdown.t:g} ({breakdown.kind})")


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a steady problem was not solved: the iteration did not converge, or no solution exists.

    `residuals` are root mean squares by iteration. For "data", `defect` is the constant that the data of
    the equation for `field` lack to be compatible.
    """

    kind: Literal["iteration", "data"]
    field: str
    residuals: tuple[float, ...]
    defect: float


class Unsolved(Exception):
    """Raised by `SteadySolver.stream` and eager `SteadySolver.solve`."""

    def __init__(self, standstill: Standstill) -> None:
        self.standstill = standstill
        if standstill.kind == "iteration":
            last = f"{standstill.residuals[-1]:.3g}" if standstill.residuals else "not a number"
            text = f"the steady equations were not solved: the last residual is {last}"
        else:
            text = f"the data of `{standstill.field}` are not compatible: they lack {standstill.defect:.3g}"
        super().__init__(text)
