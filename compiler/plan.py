"""Every numerical choice for one system on one grid, each with its reason."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nablax.frontend.source import Span

if TYPE_CHECKING:
    from nablax.grid_functions import GridData
    from nablax.planning.volumes import Balance
    from nablax.system import System

Method = Literal["spectral", "fd", "fv"]
Dtype = Literal["float64", "float32"]
StepperName = Literal[
    "etdrk4", "etdrk2",  # exponential: the linear part exactly (spectral only)
    "imex",              # additive Runge–Kutta: linear part implicit, the rest explicit
    "implicit",          # the whole right-hand side implicit (ESDIRK)
    "euler", "rk2", "ssprk3", "rk4", "dopri5",  # explicit Runge–Kutta
    "leapfrog",          # explicit, second order in time without damping
    "l1",                # derivatives with memory, piecewise linear in time; the right-hand side implicit
    "l21sigma",          # derivatives with memory, piecewise quadratic in time
    "cq",                # derivatives with memory by convolution quadrature, corrected at the start
    "mittag_leffler",    # linear equations with memory: every mode exactly, from the start of time
    "newton",            # no time: the steady equations themselves, by Newton's method
]  # fmt: skip
EQUAL: tuple[StepperName, ...] = ("cq",)
"""Steppers that keep u - u_0 - t u_0' of all their steps, which are equal."""
PROPAGATED: tuple[StepperName, ...] = ("mittag_leffler",)
"""Steppers that go from the start to any time at once, and keep nothing of what lies between."""
ANCHORED: tuple[StepperName, ...] = (*EQUAL, *PROPAGATED)
"""Steppers that keep the start values."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision: what was chosen, why, and whether the spec asked for it."""

    what: str
    value: str
    reason: str
    asked: bool = False
    span: Span | None = None


Treatment = Literal["exact", "implicit", "explicit"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Which part of a step takes a term: the `index`-th of a kind in the `equation`-th evolution equation."""

    equation: int
    kind: Literal["linear", "nonlinear", "forcing"]
    index: int
    treatment: Treatment
    span: Span


@dataclass(frozen=True, slots=True)
class GridAxis:
    """Points of one axis. Periodic: n points, the upper end left out. Bounded: n cells, n + 1 points.

    `centred`: the points are the centres of n cells, on either kind of axis. `folded`: the lower end is the
    centre of curvilinear coordinates; n points, the first of them half a spacing away from it, the last one
    at the wall.
    """

    name: str
    lower: float
    upper: float
    n: int
    periodic: bool
    centred: bool = False
    folded: bool = False

    @property
    def points(self) -> int:
        return self.n if self.periodic or self.centred or self.folded else self.n + 1

    @property
    def first(self) -> float:
        """The coordinate of the first point."""
        return self.lower + self.spacing / 2 if self.centred or self.folded else self.lower

    @property
    def spacing(self) -> float:
        return (self.upper - self.lower) / (self.n - 0.5 if self.folded else self.n)

    @property
    def length(self) -> float:
        return self.upper - self.lower


Engine = Literal["direct", "exponentials"]


@dataclass(frozen=True, slots=True)
class Recall:
    """How derivatives in time remember the past.

    Without a fixed dt the run has `steps` steps, at start + duration · (n/steps)^grading. `direct` keeps
    every step, at most `capacity` of them; `exponentials` keeps a sum of decaying modes, exact to the
    relative tolerance `tol` for lags from `shortest` to `longest`.

    Where the past is measured by a function ψ of the time, so are the steps and those lags: `shares` are
    pairs of logarithms, of the share of ψ's growth and of the share of the duration that it takes.
    """

    engine: Engine
    steps: int
    grading: float
    capacity: int
    shortest: float
    longest: float
    tol: float
    shares: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Stepping:
    """How time advances; for `newton`, how far the steady equations are solved (`rtol` of the fields).

    `dt` fixes the step (shortened evenly so that frames are met); None leaves it to the error control
    with relative and absolute tolerance, never above `bound`. `bound` is the stable step where one is
    known at the nominal parameters, `limiter` the span of the term that sets it; without a bound, of the
    term that feeds short waves without bound.
    `cap` is set where a coefficient or a source depends on time.
    """

    name: StepperName
    order: int
    dt: float | None
    rtol: float
    atol: float
    bound: float | None = None
    limiter: Span | None = None
    cap: float | None = None  # never longer, so that what depends on time is seen
    recall: Recall | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backend builds from. `frames` are the output times, first and last included; (0,) if steady."""

    system: "System"
    method: Method
    grid: tuple[GridAxis, ...]
    order: int  # of accuracy of differences or volumes; 0 for spectral
    dealias: tuple[float, ...]  # kept fraction of the modes per axis, spectral only; 1.0 = all
    stepping: Stepping
    frames: tuple[float, ...]
    dtype: Dtype
    choices: tuple[Choice, ...]
    claims: tuple[Claim, ...] = ()
    bundle: int = 1  # explicit steps for which ghost nodes are attached at once
    tune: bool = False  # time the lowerings on this device, and keep the fastest
    balance: "Balance | None" = None  # what finite volumes discretise
    arrays: tuple["GridData", ...] = ()  # coefficient functions that are given as arrays

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.points for a in self.grid)

    def _repr_html_(self) -> str:
        from nablax.notebook import plan_html

        return plan_html(self)
