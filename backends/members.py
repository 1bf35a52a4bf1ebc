"""Many runs of one plan as one vmapped program, frame by frame.

Every member has its own parameters and, where error control or waves decide, its own steps: the numbers are
those of single runs, to rounding where steps are fixed. A member that stops being finite stays behind as
not-a-number; the others go on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.arguments import number
from nablax.backends.frames import Breakdown, Frame, NumericalFailure, Standstill
from nablax.backends.interface import Opening, Parameters, State
from nablax.backends.nodes import samples
from nablax.backends.precision import precise
from nablax.backends.rest import INCOMPATIBLE, reported
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.backends.stepping.fixed import step_count, trajectory

SHARED = State._make((None, 0, 0))
"""Axes of a batch of states: all members are at one time."""
OPENED = Opening._make((SHARED, 0))


@dataclass(frozen=True, slots=True)
class Members:
    """What varies: one array [members] per parameter; the solver's defaults stand for the others."""

    values: Mapping[str, np.ndarray]

    @property
    def count(self) -> int:
        return len(next(iter(self.values.values())))

    def of(self, i: int) -> dict[str, float]:
        """The values of one member."""
        return {name: float(values[i]) for name, values in self.values.items()}


@dataclass(frozen=True, slots=True)
class Fallen:
    """A member that broke down before `frame`, and why."""

    member: int
    frame: int
    cause: Breakdown | Standstill | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Fields of all members at one output time: arrays of shape (members, *grid) by component name."""

    frame: Frame
    fallen: tuple[Fallen, ...]


def stream(solver: Solver | SteadySolver, members: Members) -> Iterator[Batch]:
    """The frames of all members, and with each frame the members that fell since the one before."""
    if isinstance(solver, SteadySolver):
        yield _steady(solver, members)
    else:
        yield from _moving(solver, members)


def _parameters(
    solver: Solver | SteadySolver, members: Members
) -> tuple[dict[str, Array], dict[str, int | None]]:
    """Complete parameters and the solver's matrices, and the axes that vmap takes them over."""
    plan = solver.plan
    defaults: dict[str, Array] = {n: number(plan, v) for n, v in solver.parameters.items()}
    arrays = {n: jnp.asarray(v, plan.dtype) for n, v in members.values.items()}
    tables = solver.tables() if isinstance(solver, SteadySolver) else solver.programs.tables()
    whole = defaults | arrays | cast(dict[str, Array], dict(tables))
    return whole, {n: 0 if n in arrays else None for n in whole}


def _moving(solver: Solver, members: Members) -> Iterator[Batch]:
    plan, programs = solver.plan, solver.programs
    times = plan.frames
    with precise(plan.dtype):
        params, axes = _parameters(solver, members)
        start = jax.jit(
            jax.vmap(
                programs.start,
                in_axes=(axes, None, None),
                out_axes=OPENED,
                axis_size=members.count,
            )
        )
        show = jax.jit(
            jax.vmap(lambda t, y, p: programs.fields(t, y, programs.prepare(p)), in_axes=(None, 0, axes))
        )
        state, given = start(params, {}, samples(plan))
        fields = _arrays({**show(state.t, state.y, params), **given})
    standing = np.ones(members.count, bool)
    yield _batch(solver, members, 0, times[0], fields, standing, None)
    frames = _frame_programs(solver, axes)
    for index in range(1, len(times)):
        before = state
        with precise(plan.dtype):
            state, shown = frames(times[index - 1], times[index])(state, params)
            fields = _arrays(shown)
        yield _batch(solver, members, index, times[index], fields, standing, before)


def _frame_programs(
    solver: Solver, axes: Mapping[str, int | None]
) -> Callable[[float, float], Callable[[State, Parameters], tuple[State, dict[str, Array]]]]:
    """The program from one output time to the next; those of equal steps are as many as step counts."""
    plan, programs = solver.plan, solver.programs
    made: dict[int, Callable[[State, Array, Parameters], tuple[State, dict[str, Array]]]] = {}

    def make(count: int) -> Callable[[State, Array, Parameters], tuple[State, dict[str, Array]]]:
        def advance(state: State, until: Array, params: Parameters) -> tuple[State, dict[str, Array]]:
            ready = programs.prepare(params)
            if not count:
                return programs.frame(state, until, jnp.zeros((), "int32"), ready)
            # A scan: a loop that looks whether values are finite would end for each member by itself.
            h = (until - state.t) / count
            y = trajectory(
                programs.scheme, programs.method, state.t, state.y, h, count, ready, programs.bundle
            )
            return State(until, y, h), programs.scheme.fields(until, y, ready)

        return jax.jit(jax.vmap(advance, in_axes=(SHARED, None, dict(axes)), out_axes=(SHARED, 0)))

    def between(begin: float, end: float) -> Callable[[State, Parameters], tuple[State, dict[str, Array]]]:
        count = 0
        if programs.control == "fixed":
            assert plan.stepping.dt is not None
            count = step_count(end - begin, plan.stepping.dt)
        program = made.setdefault(count, make(count)) if count not in made else made[count]
        return lambda state, params: program(state, number(plan, end), params)

    return between


def _batch(
    solver: Solver,
    members: Members,
    index: int,
    t: float,
    fields: dict[str, np.ndarray],
    standing: np.ndarray,
    before: State | None,
) -> Batch:
    """Frame `index`; what is not finite is blanked, and `standing` loses its members."""
    sound = standing.copy()
    for values in fields.values():
        sound &= np.isfinite(values).reshape(members.count, -1).all(axis=1)
    fallen: list[Fallen] = []
    for i in np.flatnonzero(standing & ~sound):
        # One account is enough: it takes the member's steps once more, one by one.
        cause = None if fallen or before is None else _cause(solver, members, int(i), before)
        fallen.append(Fallen(int(i), index, cause))
    standing &= sound
    for name, values in fields.items():
        if not sound.all():
            fields[name] = np.where(
                sound.reshape(-1, *(1,) * (values.ndim - 1)), values, np.full_like(values, np.nan)
            )
    return Batch(Frame(index, t, MappingProxyType(fields), 0, 0, 0.0), tuple(fallen))


def _cause(solver: Solver, members: Members, i: int, before: State) -> Breakdown | None:
    """Why a member fell, from its run alone; None where it stands when it runs alone."""
    state = State(before.t, tuple(a[i] for a in before.y), before.dt[i])
    try:
        for _ in solver.stream(members.of(i), state):
            pass
    except NumericalFailure as failure:
        return failure.breakdown
    return None


def _steady(solver: SteadySolver, members: Members) -> Batch:
    plan = solver.plan
    with precise(plan.dtype):
        params, axes = _parameters(solver, members)
        found = jax.jit(jax.vmap(solver.compiled, in_axes=(axes, None, None), axis_size=members.count))(
            params, {}, samples(plan)
        )
        fields = _arrays(found.fields)
        residuals, converged = np.asarray(found.residuals), np.asarray(found.converged)
        defects = {n: np.asarray(v) for n, v in found.defects.items()}
    fallen = []
    for i in range(members.count):
        course = reported(residuals[i])
        least = INCOMPATIBLE * max(course[0] if course else 0.0, float(np.finfo(plan.dtype).tiny))
        short = next((n for n, v in defects.items() if float(v[i]) > least), None)
        name = next(iter(fields))
        if not converged[i] or not all(np.isfinite(v[i]).all() for v in fields.values()):
            fallen.append(Fallen(i, 0, Standstill("iteration", name, course, 0.0)))
        elif short is not None:
            fallen.append(Fallen(i, 0, Standstill("data", short, course, float(defects[short][i]))))
    for fall in fallen:
        for values in fields.values():
            values[fall.member] = np.nan
    return Batch(Frame(0, 0.0, MappingProxyType(fields), 0, 0, 0.0), tuple(fallen))


def _arrays(fields: Mapping[str, Array]) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in fields.items()}
