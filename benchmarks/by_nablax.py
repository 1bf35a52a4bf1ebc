"""The nablax side of every comparison, from the text of a spec alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import jax
import numpy as np
from jax import Array
from jax.stages import Wrapped

from benchmarks.case import NABLAX, Contender, Fields, Program

if TYPE_CHECKING:
    from nablax.backends.solver import Solver


@dataclass(frozen=True, slots=True)
class StepProgram:
    """The compiled loop that a run drives, with arguments for one step."""

    function: Wrapped
    arguments: tuple[object, ...]
    state_bytes: int

    def __call__(self) -> object:
        return jax.block_until_ready(self.function(*self.arguments))


def contenders(spec: str) -> tuple[Contender, ...]:
    """The loop that `nablax run` drives, and the pure function for other JAX programs."""
    return (
        Contender(NABLAX, lambda: streamed(spec)),
        Contender("nablax, solve()", lambda: solved(spec)),
    )


def compiled(spec: str, n: int | tuple[int, ...] | None = None) -> "Solver":
    import nablax
    from nablax.backends.solver import Solver

    solver = nablax.parse(spec).compile(n=n)
    assert isinstance(solver, Solver)
    return solver


def streamed(spec: str) -> Program:
    solver = compiled(spec)
    dt = _fixed_step(solver)
    state = solver.initial()
    ready = solver.compiled.prepare(solver._complete(None))
    h = np.float64(dt)
    aid = solver.compiled.aid(h, ready)

    def run(steps: int) -> tuple[Array, ...]:
        moved = jax.block_until_ready(solver.compiled.march(state.t, state.y, h, np.int32(steps), aid, ready))
        return cast(tuple[Array, ...], moved.y)

    def program(steps: int) -> Fields:
        y = run(steps)
        if solver.plan.method == "fd":
            unknowns = solver.plan.system.unknowns
            return tuple(np.asarray(a) for a, u in zip(y, unknowns, strict=True) if u.rate_of is None)
        fields = solver.fields(state._replace(y=y))
        return tuple(np.asarray(a) for a in fields.values())

    return program


def solved(spec: str) -> Program:
    solver = compiled(spec)
    dt = _fixed_step(solver)

    def program(steps: int) -> Fields:
        solution = solver.solve(save_at=[solver.plan.frames[0] + steps * dt])
        return tuple(np.asarray(a)[-1] for a in solution.fields.values())

    return program


def step_program(solver: "Solver") -> StepProgram:
    """What a run calls between two frames, asked for a single step."""
    state = solver.initial()
    ready = solver.compiled.prepare(solver._complete(None))
    size = sum(a.nbytes for a in state.y)
    frames = solver.plan.frames
    span = (frames[-1] - frames[0]) / (len(frames) - 1)
    if solver.programs.control == "adaptive":
        until = np.float64(frames[0] + span)
        arguments: tuple[object, ...] = (state, until, np.int32(1), ready)
        return StepProgram(_jitted(solver.compiled.advance), arguments, size)
    h = np.float64(solver.plan.stepping.dt or span / 100)
    aid = solver.compiled.aid(h, ready)
    arguments = (state.t, state.y, h, np.int32(1), aid, ready)
    return StepProgram(_jitted(solver.compiled.march), arguments, size)


def _jitted(function: Callable[..., object]) -> Wrapped:
    return cast(Wrapped, function)


def _fixed_step(solver: "Solver") -> float:
    dt = solver.plan.stepping.dt
    assert dt is not None
    return dt
