"""What a run has to know of a plan besides its programs: plain data, without SymPy.

Runs from a spec and runs from an artifact have the same outline, and everything that saves, judges and
draws them reads nothing else. `nablax.outlining` writes it from a plan.
"""

from dataclasses import dataclass
from typing import Literal

from nablax.formula import Formula
from nablax.frontend.source import Source, Span
from nablax.plan import Dtype, GridAxis, Method, Stepping

Relation = Literal["≈", "<", ">", "<=", ">="]


@dataclass(frozen=True, slots=True)
class FieldOutline:
    """A field as declared, with the names of its components (`U.x`) in order."""

    name: str
    rank: int
    complex: bool
    components: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class UnknownOutline:
    """An evolving unknown: `u`, `U.x`, or the rate `dt(w)`."""

    name: str
    complex: bool


@dataclass(frozen=True, slots=True)
class ParameterOutline:
    """A parameter with its default and, where the text gives one, its range.

    `static`: compiled into the grid. `derived`: follows from others unless it is given.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    static: bool
    derived: bool


@dataclass(frozen=True, slots=True)
class ArrayOutline:
    """A function given by its values at the nodes along `axes`, of this shape."""

    name: str
    shape: tuple[int, ...]
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderOutline:
    """The order of a derivative in time by its parameters: compiled in is that it lies strictly between `low`
    and `high`, or at both, where they are one whole number."""

    formula: Formula
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A line of `expect`. Both sides have one formula a component; `refusal` says why there are none."""

    relation: Relation
    left: tuple[Formula, ...]
    right: tuple[Formula, ...]
    within: Formula | None
    always: bool
    at: Formula | None
    span: Span
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """Coordinates, time, parameters and components go by their names in every formula.

    `equations` pairs each component (or field) with the place of the equation that determines it, `n` is
    the place of the resolution in the text where it stands there, `constraint` names the first one.
    `remembered` is how many arrays of a state hold the past.
    """

    source: Source
    span: Span
    title: str
    coordinates: str
    time: str | None
    grid: tuple[GridAxis, ...]
    frames: tuple[float, ...]
    method: Method
    order: int
    dealias: tuple[float, ...]
    stepping: Stepping
    dtype: Dtype
    fields: tuple[FieldOutline, ...]
    evolving: tuple[UnknownOutline, ...]
    parameters: tuple[ParameterOutline, ...]
    equations: tuple[tuple[str, Span], ...]
    statements: tuple[Statement, ...]
    seeds: tuple[int, ...]
    constraint: str | None = None
    remembered: int = 0
    n: Span | None = None
    orders: tuple[OrderOutline, ...] = ()
    arrays: tuple[ArrayOutline, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.points for a in self.grid)

    @property
    def accuracy(self) -> int:
        """Order of the differences and integrals that judge and draw: the scheme's, at least 4."""
        return max(4, self.order)
