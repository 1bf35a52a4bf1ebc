"""Everything a training run follows, as plain data, each choice with its reason."""

from dataclasses import dataclass
from typing import Literal

from nablax.frontend.source import Span
from nablax.models import Model
from nablax.plan import Choice, Dtype

Optimiser = Literal["adam", "soap", "lbfgs", "lm"]
Schedule = Literal["constant", "cosine", "exponential"]
Spread = Literal["uniform", "lhs", "sobol", "grid"]
Refinement = Literal["none", "rad", "rar"]
Balance = Literal["none", "gradnorm", "ntk", "selfadaptive"]


@dataclass(frozen=True, slots=True)
class Phase:
    """`steps` steps of one optimiser.

    First-order ones have a learning rate: `rate` at first (after `warmup` steps of linear growth), then
    constant, along half a cosine to 1 % of it, or times `decay` every `every` steps. `damping` is where
    Levenberg–Marquardt begins, `history` the pairs that L-BFGS keeps.
    """

    optimiser: Optimiser
    steps: int
    rate: float = 1e-3
    schedule: Schedule = "constant"
    warmup: int = 0
    decay: float = 0.9
    every: int = 2000
    damping: float = 1e-2
    history: int = 20
    span: Span | None = None

    @property
    def first_order(self) -> bool:
        return self.optimiser in ("adam", "soap")


@dataclass(frozen=True, slots=True)
class Sampler:
    """Where points lie. `refinement` draws those of the equations anew `every` so many steps.

    RAD: by the density |r|^power / mean |r|^power + floor; RAR adds the `share` of the points with the
    largest residuals to evenly spread ones (Wu et al., CMAME 403, 2023). With `none`
    and `every` > 0 all points are drawn evenly.
    """

    spread: Spread
    refinement: Refinement
    every: int
    power: float = 1.0
    floor: float = 1.0
    share: float = 0.2


@dataclass(frozen=True, slots=True)
class Weighting:
    """Weights of the losses: `fixed` factors by name of statement or place, times those of a `balance`.

    `every`: steps between updates of gradnorm and ntk; `rate`: of the growth of self-adaptive weights.
    `causal`: the steepness ε of exp(-ε · loss up to t) over `slabs` slabs of time; 0 for none.
    """

    fixed: tuple[tuple[str, float], ...] = ()
    balance: Balance = "none"
    every: int = 100
    rate: float = 1e-2
    causal: float = 0.0
    slabs: int = 16


@dataclass(frozen=True, slots=True)
class Training:
    """A training run. `counts` are points by place; `batch` of those inside enter each first-order step.

    `windows`: intervals of time trained one after the other, each from the end of the one before.
    `ensemble`: members trained at once, with keys of their own. `seconds`: a budget of wall time (None:
    steps alone). `stop`: the root mean square of the residual on held-out points at which training is
    done, 0 for never. `checkpoint`: steps between checkpoints.
    """

    model: Model
    phases: tuple[Phase, ...]
    counts: tuple[tuple[str, int], ...]
    sampler: Sampler
    weighting: Weighting
    seed: int
    dtype: Dtype
    hard: bool
    windows: int
    ensemble: int
    batch: int | None
    seconds: float | None
    stop: float
    checkpoint: int
    choices: tuple[Choice, ...]

    @property
    def steps(self) -> int:
        return sum(p.steps for p in self.phases)
