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
    """One look at a run: after `step` steps and `seconds`, the losses by name and the root mean square of the
    residual on points that no step sees."""

    step: int
    seconds: float
    optimiser: str
    losses: Mapping[str, float]
    held: float


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
    an ensemble. `unknowns` are the recovered values of scalars, the means of an ensemble."""

    status: Status
    field: Field
    params: PyTree
    readings: tuple[Reading, ...]
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
