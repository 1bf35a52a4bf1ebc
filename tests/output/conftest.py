"""Plans from short specs, and solvers that yield frames computed beforehand."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from nablax.backends.frames import Frame, Progress
from nablax.frontend.source import read_source
from nablax.pipeline import compile_plan
from nablax.plan import Plan

Fields = Callable[..., Mapping[str, np.ndarray]]


def make_plan(text: str) -> Plan:
    plan, _ = compile_plan(read_source("test.pde", text))
    return plan


def mesh(plan: Plan) -> list[np.ndarray]:
    points = [a.lower + a.spacing * np.arange(a.points) for a in plan.grid]
    return np.meshgrid(*points, indexing="ij")


def make_frames(plan: Plan, fields: Fields) -> list[Frame]:
    """Frames at the plan's times; `fields(t, x, y, ...)` gives the arrays by component."""
    return [
        Frame(
            i, t, {k: np.asarray(v) for k, v in fields(t, *mesh(plan)).items()}, int(i > 0), 0, 0.1 * (i > 0)
        )
        for i, t in enumerate(plan.frames)
    ]


@dataclass(frozen=True)
class Replay:
    """A solver that yields given events, and raises those that are exceptions."""

    events: list[Frame | Progress | BaseException]
    parameters: Mapping[str, float] = field(default_factory=dict)

    def stream(self) -> Iterator[Frame | Progress]:
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            yield event


@pytest.fixture
def plan_of() -> Callable[[str], Plan]:
    return make_plan


@pytest.fixture
def frames_of() -> Callable[[Plan, Fields], list[Frame]]:
    return make_frames


@pytest.fixture
def replay() -> type[Replay]:
    return Replay


RING = """
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, 1] }}
fields {{ u }}
params {{ nu = 0.5 }}
equations {{ dt(u) = nu*dxx(u) }}
initial {{ u = sin(x) }}
solve {{ n = 32 }}
output {{ every = 0.25 {output} }}
expect {{ {expect} }}
"""


@pytest.fixture
def ring() -> Callable[..., Plan]:
    """Heat on a ring of 32 points with 5 frames; `output` and `expect` are put into their blocks."""

    def make(expect: str = "max(u) <= 2", output: str = "") -> Plan:
        return make_plan(RING.format(expect=expect, output=output and f"; {output}"))

    return make


def decay(t: float, x: np.ndarray) -> dict[str, np.ndarray]:
    return {"u": np.sin(x) * np.exp(-0.5 * t)}


@pytest.fixture
def exact() -> Fields:
    return decay
