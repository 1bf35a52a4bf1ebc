"""What a training run says while it goes on, and what it leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nablax.backends.expectations import Verdict
from nablax.backends.residuals.field import Field, PyTree
from nablax.frontend.diagnostics import Diagnostic

Status = Literal["done", "stopped", "timed out", "interrupted", "broken"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a run: after `step` steps (of all windows) and `seconds`, the losses by name and the root
    mean square of the residual on points that no step sees. `window` counts from 0."""

    step: int
    seconds: float
    optimiser: str
    losses: Mapping[str, float]
    held: float
    window: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which state of a window of time was kept: that after `step` of its `steps`, where the sum of all losses
    on points that no step sees was least (the last one where residuals are drawn at random). `held` is the
    root mean square of the residual there, `ends` are the window's, None for a steady problem."""

    step: int
    steps: int
    held: float
    ends: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Score:
    """The relative L2 distance of a field from its reference, and that of the reference from a finer one."""

    field: str
    error: float
    reference: float
    how: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained field. `params` are those that `field` and residuals take; with a leading axis of members for
    an ensemble; one entry for each window of time, where there are several. `unknowns` are the recovered
    values of scalars, the means of an ensemble. `chosen` says for every window that has a
    reading which state this is."""

    status: Status
    field: Field
    params: PyTree
    readings: tuple[Reading, ...]
    chosen: tuple[Chosen, ...]
    unknowns: Mapping[str, float]
    verdicts: tuple[Verdict, ...]
    scores: tuple[Score, ...]
    diagnostics: tuple[Diagnostic, ...]
    steps: int
    seconds: float
    files: tuple[Path, ...] = ()

    @property
    def met(self) -> bool:
        """Whether every `expect` was met."""
        return all(v.passed for v in self.verdicts)
