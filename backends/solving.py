"""A whole solve: what solvers and compiled files have in common."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.checks import check_order, check_state
from nablax.backends.interface import Opening, Parameters, State, Vector
from nablax.backends.loop import Drive, collected
from nablax.backends.solution import Solution
from nablax.backends.stepping.fixed import step_count

FOREVER = np.int32(2**31 - 1)
Fields = dict[str, Array]


class Program(Protocol):
    """(times, fields stacked over them) from a state at `start`; `start` and `times` are static."""

    def __call__(
        self, params: Parameters, opening: Opening, *, start: float, times: tuple[float, ...]
    ) -> tuple[Array, Fields]: ...


def solution_of(
    drive: Drive,
    program: Program,
    params: Parameters,
    opening: Opening,
    times: tuple[float, ...],
    eager: bool,
    afresh: bool,
) -> Solution:
    """The solution from a state, which is at the first frame if made `afresh` or under a transformation.

    Eager runs whose steps are checked go by the host loop, whose programs are small, and so do those once
    more whose program breaks down: they raise `NumericalFailure`, or have the loop's frames.
    """
    outline, state = drive.outline, opening.state
    check_state(outline, state)
    start = float(state.t) if eager and not afresh else outline.frames[0]
    check_order(start, times)
    if eager and drive.control == "checked":
        t, fields = collected(drive, params, opening, start, times)
        return Solution(t, fields, params, outline)
    t, fields = program(params, opening, start=start, times=times)
    if eager and not all(bool(np.isfinite(np.asarray(a)).all()) for a in fields.values()):
        t, fields = collected(drive, params, opening, start, times)
    return Solution(t, fields, params, outline)


def in_chosen_steps(
    frame: Callable[[State, Array], tuple[State, Fields]], state: State, times: Sequence[float], dtype: str
) -> tuple[Array, Fields]:
    """(times, fields over them), `frame` going to one output time in as many steps as it likes."""
    end = jnp.asarray(np.asarray(times, dtype))
    return end, lax.scan(frame, state, end)[1]


def in_equal_steps(
    to: Callable[[Vector, Array, Array, int], tuple[Vector, Fields]],
    y: Vector,
    start: float,
    times: Sequence[float],
    dt: float,
    dtype: str,
) -> tuple[Array, Fields]:
    """(times, fields over them); `to` goes from one time to another in a known number of steps.

    Neighbouring frames of as many steps are one scan.
    """
    begin, end = np.asarray([start, *times[:-1]], dtype), np.asarray(times, dtype)
    counts = [step_count(float(b) - float(a), dt) for a, b in zip(begin, end, strict=True)]
    parts: list[Fields] = []
    first = 0
    for count, alike in groupby(counts):
        last = first + len(list(alike))

        def one(y: Vector, ends: tuple[Array, Array], count: int = count) -> tuple[Vector, Fields]:
            return to(y, *ends, count)

        y, fields = lax.scan(one, y, (jnp.asarray(begin[first:last]), jnp.asarray(end[first:last])))
        parts.append(fields)
        first = last
    return jnp.asarray(end), {name: jnp.concatenate([p[name] for p in parts]) for name in parts[0]}


def opened(fields: Fields, opening: Opening, start: float, times: Sequence[float]) -> Fields:
    """Fields over `times` whose first frame, at the start, shows the data that the state was made of."""
    if times[0] > start:
        return fields
    return {n: a.at[0].set(opening.given[n]) if n in opening.given else a for n, a in fields.items()}


def poisoned(y: Vector, stuck: Array) -> Vector:
    """NaN where the error control got stuck: a pure function cannot raise, and this must not look solved."""
    return tuple(jnp.where(stuck, jnp.full_like(a, jnp.nan), a) for a in y)
