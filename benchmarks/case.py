"""What is compared: one problem, the contenders that solve it, and the goals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

Fields = tuple[np.ndarray, ...]
Program = Callable[[int], Fields]
"""The fields after so many steps from the initial data; they have been computed when it returns."""


@dataclass(frozen=True, slots=True)
class Contender:
    """`build` compiles nothing or everything, as it likes: a run before the timed ones does the rest.

    `needs` is the module without which it is shown as not installed.
    """

    name: str
    build: Callable[[], Program]
    needs: str = "jax"

    @property
    def installed(self) -> bool:
        return find_spec(self.needs) is not None


@dataclass(frozen=True, slots=True)
class Case:
    """One problem on one grid with one step, the same for every contender.

    After `checked` steps all must agree with the first contender to `tolerance`, relative to the largest
    value; then `steps` steps are timed. `goals` bound nablax's time as a fraction of a contender's.
    """

    title: str
    spec: str
    contenders: tuple[Contender, ...]
    points: int
    steps: int
    checked: int
    tolerance: float
    goals: Mapping[str, float]


NABLAX = "nablax"
TWIN = "hand-written JAX"
