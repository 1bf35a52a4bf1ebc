"""A plan made to run: pure functions for JAX programs, and a host loop for runs with progress."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from time import perf_counter
from types import MappingProxyType
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.frames import Breakdown, Frame, NumericalFailure, Progress
from nablax.backends.interface import Parameters, Semidiscretisation, State, Unsupported, Vector
from nablax.backends.lowering import evaluate
from nablax.backends.nodes import samples
from nablax.backends.precision import precise, traced
from nablax.backends.programs import Programs, step_count
from nablax.backends.solution import Solution
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.checked import GROW, MOST_STEPS, SAFETY, TRIES
from nablax.backends.stepping.choice import control_of, method_of, tolerance_of
from nablax.backends.stepping.fixed import BETWEEN_CHECKS, March
from nablax.plan import Plan
from nablax.system import System

Number = float | Array | np.ndarray | np.floating
Numbers = Mapping[str, Number]
TICK = 0.2  # seconds of work between signs of life


@dataclass(frozen=True, slots=True)
class Compiled:
    """The programs behind jit. Those of the host loop are never part of another program."""

    prepare: Callable[[Parameters], Parameters]
    initial: Callable[..., State]
    fields: Callable[..., dict[str, Array]]
    rate: Callable[..., Vector]
    step: Callable[..., State]
    solve: Callable[..., tuple[Array, dict[str, Array]]]
    start: Callable[..., State]
    show: Callable[..., dict[str, Array]]
    aid: Callable[..., object]
    march: Callable[..., March]
    judge: Callable[..., Array]
    advance: Callable[..., tuple[State, Tally]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a piece of a frame took. `stuck`: the error control found no step small enough."""

    steps: int
    rejected: int
    dt: float
    finite: bool
    stuck: bool


@dataclass(frozen=True, slots=True)
class Solver:
    """`initial`, `step`, `rhs`, `fields` and `solve` are pure; parameters left out keep their default.

    Every call may raise `PrecisionError`: float64 planned, float32 in force, and a transformation around.
    """

    plan: Plan = field(repr=False)
    parameters: Mapping[str, float]
    programs: Programs = field(repr=False)
    compiled: Compiled = field(repr=False)

    def initial(self, params: Numbers | None = None, fields: Mapping[str, Array] | None = None) -> State:
        """The state at the start of time.

        `fields`, nodal arrays of shape `plan.shape` by name (`U.x`; `dt(w)` for a rate), replace the
        spec's data. Raises ValueError for a name or a shape that does not fit.
        """
        given = dict(fields or {})
        self._check_fields(given)
        with precise(self.plan.dtype, params, given):
            return self.compiled.initial(self._complete(params), given, samples(self.plan))

    def step(self, state: State, params: Numbers | None = None) -> State:
        """One step: of the plan's dt, or as far as the error control goes in one."""
        with precise(self.plan.dtype, params, state):
            return self.compiled.step(state, self._complete(params))

    def rhs(self, t: float | Array, y: State | Vector, params: Numbers | None = None) -> Vector:
        """dy/dt for `state.y`, in the order and representation of the state (what diffrax asks of a term).

        Raises TypeError for a constrained system: its state may not leave the constraint.
        """
        if self.plan.system.constraints:
            name = self.plan.system.constraints[0].name
            raise TypeError(
                f"a system with constraints has no right-hand side of its own (`{name}` must hold at every "
                "moment): use `step` or `solve`"
            )
        vector = y.y if isinstance(y, State) else y
        with precise(self.plan.dtype, params, t, y):
            return self.compiled.rate(t, vector, self._complete(params))

    def fields(self, state: State, params: Numbers | None = None) -> dict[str, Array]:
        """Nodal arrays of shape `plan.shape` by component name, multipliers (a pressure) included."""
        with precise(self.plan.dtype, params, state):
            return self.compiled.fields(state.t, state.y, self.compiled.prepare(self._complete(params)))

    def solve(
        self,
        params: Numbers | None = None,
        initial: State | None = None,
        save_at: Sequence[float] | None = None,
    ) -> Solution:
        """Fields at `save_at` (the plan's frames by default), in memory.

        Pure: goes through jit, vmap and forward mode, with a fixed dt through reverse mode as well
        (`ReverseModeError` otherwise). The number of steps is static: under a transformation an `initial`
        is taken to be at `plan.frames[0]`. Eager calls raise `NumericalFailure` for a run that breaks
        down; under a transformation the fields are not a number from there on.
        """
        times = tuple(float(t) for t in (self.plan.frames if save_at is None else save_at))
        if not times or not all(np.isfinite(times)):
            raise ValueError("`save_at` holds at least one time, all of them finite")
        with precise(self.plan.dtype, params, initial):
            eager = not traced(params, initial)
            complete = self._complete(params)
            state = self.compiled.initial(complete, {}, samples(self.plan)) if initial is None else initial
            start = float(state.t) if initial is not None and eager else self.plan.frames[0]
            if not times or any(b < a for a, b in zip((start, *times), times, strict=False)):
                raise ValueError(f"`save_at` must not decrease, nor begin before the state's time {start:g}")
            if eager and self.programs.control == "checked":
                return self._collected(params, state, start, times)
            t, fields = self.compiled.solve(complete, state, start=start, times=times)
            finite = not eager or all(bool(np.isfinite(np.asarray(a)).all()) for a in fields.values())
        if not finite:
            for _ in self._events(params, state, times):
                pass
        return Solution(t, fields, complete, self.plan)

    def _collected(
        self, params: Numbers | None, state: State, start: float, times: tuple[float, ...]
    ) -> Solution:
        """`solve` by the host loop, whose programs are small: the choice of a step compiles slowly inside
        one program. Steps are chosen by the same rule."""
        ahead = times if times[0] <= start else (start, *times)
        events = self._events(params, state, ahead)
        frames = [event for event in events if isinstance(event, Frame)][len(ahead) - len(times) :]
        with precise(self.plan.dtype):
            t = jnp.asarray([frame.t for frame in frames], self.plan.dtype)
            fields = {n: jnp.stack([jnp.asarray(f.fields[n]) for f in frames]) for n in frames[0].fields}
            return Solution(t, fields, self._complete(params), self.plan)

    def stream(
        self, params: Numbers | None = None, initial: State | None = None
    ) -> Iterator[Frame | Progress]:
        """Frames as they come, with `Progress` in long ones; what the command line runs.

        From `initial`, the frames after its time. Raises `NumericalFailure`.
        """
        return self._events(params, initial, self.plan.frames)

    # --- the host loop ---

    def _events(
        self, params: Numbers | None, initial: State | None, times: Sequence[float]
    ) -> Iterator[Frame | Progress]:
        with precise(self.plan.dtype, params, initial):
            complete = self._complete(params)
            ready = self.compiled.prepare(complete)
            state = self.compiled.start(complete, {}, samples(self.plan)) if initial is None else initial
        loop = Loop(self, ready)
        index = 0
        if initial is None or float(state.t) <= times[0]:
            yield self._frame(0, state, ready, 0, 0, 0.0)
            index = 1
        while index < len(times) and float(self._number(times[index])) <= float(state.t):
            index += 1
        total = 0
        ticked = perf_counter()
        for frame in range(index, len(times)):
            steps = rejected = 0
            dt = 0.0
            while not loop.arrived(state, times[frame]):
                with precise(self.plan.dtype):
                    after, chunk = loop.advance(state, times[frame])
                    if chunk.stuck or not chunk.finite:
                        raise NumericalFailure(self._breakdown(state, after, chunk, ready))
                state = after
                steps, rejected, dt = steps + chunk.steps, rejected + chunk.rejected, chunk.dt
                if perf_counter() - ticked > TICK and not loop.arrived(state, times[frame]):
                    yield Progress(float(state.t), total + steps)
                    ticked = perf_counter()
            total += steps
            yield self._frame(frame, state, ready, steps, rejected, dt)
            ticked = perf_counter()

    def _frame(
        self, index: int, state: State, ready: Parameters, steps: int, rejected: int, dt: float
    ) -> Frame:
        with precise(self.plan.dtype):
            fields = {n: np.asarray(a) for n, a in self.compiled.show(state.t, state.y, ready).items()}
        for name, values in fields.items():
            if not np.isfinite(values).all():
                where = self._place(~np.isfinite(values))
                raise NumericalFailure(
                    Breakdown("infinite", float(state.t), name, where, float(state.t), inf, dt)
                )
        return Frame(index, float(state.t), MappingProxyType(fields), steps, rejected, dt)

    def _breakdown(self, state: State, after: State, chunk: Chunk, ready: Parameters) -> Breakdown:
        """Where and when: the last steps once more, one by one."""
        if chunk.stuck:
            fields = self._magnitudes(after, ready)
            name = max(fields, key=lambda n: float(fields[n].max()))
            largest = float(fields[name].max())
            where = self._place(fields[name] == largest)
            return Breakdown("step", float(after.t), name, where, float(after.t), largest, chunk.dt)
        h = self._number(chunk.dt)
        aid = self.compiled.aid(h, ready)
        sure = max(0, chunk.steps - 2 * BETWEEN_CHECKS)
        t, y = state.t, self.compiled.march(state.t, state.y, h, np.int32(sure), aid, ready).y
        last = self._magnitudes(State(t, y, h), ready)
        for i in range(sure, chunk.steps + 1):
            t = self._number(float(state.t) + i * float(h))
            seen = self._magnitudes(State(t, y, h), ready)
            for name, values in seen.items():
                if not np.isfinite(values).all():
                    return Breakdown(
                        "infinite",
                        float(t),
                        name,
                        self._place(~np.isfinite(values)),
                        float(t) - float(h),
                        float(last[name].max()),
                        float(h),
                    )
            last = seen
            y = self.compiled.march(t, y, h, np.int32(1), aid, ready).y
        name = next(iter(last))
        return Breakdown("infinite", float(t), name, {}, float(t), float(last[name].max()), float(h))

    def _magnitudes(self, state: State, ready: Parameters) -> dict[str, np.ndarray]:
        return {n: np.abs(np.asarray(a)) for n, a in self.compiled.show(state.t, state.y, ready).items()}

    def _place(self, mask: np.ndarray) -> dict[str, float]:
        index = np.unravel_index(int(np.argmax(mask)), mask.shape)
        return {a.name: a.lower + a.spacing * int(i) for a, i in zip(self.plan.grid, index, strict=True)}

    # --- arguments ---

    def _complete(self, params: Numbers | None) -> Mapping[str, Array]:
        """Every parameter, plain numbers in the plan's precision. Raises ValueError for an unknown name."""
        unknown = sorted(set(params or {}) - set(self.parameters))
        if unknown:
            known = ", ".join(f"`{name}`" for name in self.parameters) or "none"
            raise ValueError(f"no parameter is named `{unknown[0]}`; there are: {known}")
        given = dict(params or {})
        found: dict[str, Array] = {}
        for p in self.plan.system.parameters:
            if p.name in given:
                found[p.name] = self._given(p.name, given[p.name])
            elif p.formula is not None and given:
                values = {q.symbol: found[q.name] for q in self.plan.system.parameters if q.name in found}
                (value,) = evaluate((p.formula,), values)
                plain = not isinstance(value, jax.Array)
                found[p.name] = self._number(float(cast(float, value))) if plain else cast(Array, value)
            else:
                found[p.name] = self._number(self.parameters[p.name])
        return found

    def _given(self, name: str, value: Number) -> Array:
        """A parameter from outside: one number, and for a static parameter the one compiled in."""
        if np.ndim(value) != 0:
            raise ValueError(
                f"`{name}` is one number, and has the shape {np.shape(value)}: jax.vmap takes several"
            )
        static = name in static_parameters(self.plan.system)
        if static and (traced(value) or float(value) != self.parameters[name]):
            raise ValueError(
                f"`{name}` shapes the grid and is compiled in: use problem.compile(params={{{name!r}: ...}})"
            )
        return value if isinstance(value, jax.Array) else self._number(float(value))

    def _number(self, value: float) -> Array:
        # A NumPy scalar: to JAX it is as good as an array, and it is made without a compiled program.
        return cast(Array, np.dtype(self.plan.dtype).type(value))

    def _check_fields(self, fields: Mapping[str, Array]) -> None:
        evolving = [u.name for u in self.plan.system.unknowns if not u.algebraic]
        for name, values in fields.items():
            if name not in evolving:
                known = ", ".join(f"`{n}`" for n in evolving)
                raise ValueError(f"no initial data is wanted for `{name}`; it is for {known}")
            if np.shape(values) != self.plan.shape:
                raise ValueError(f"`{name}` has the shape {np.shape(values)}, and the grid {self.plan.shape}")


class Loop:
    """Drives the compiled programs from the host, in chunks of bounded work.

    It remembers what is dear and stays the same from chunk to chunk: the coefficients of the last step
    size, and how many steps fill a tick.
    """

    def __init__(self, solver: Solver, ready: Parameters) -> None:
        self._plan = solver.plan
        self._control = solver.programs.control
        self._bound = solver.programs.bound
        self._order = solver.programs.method.order
        self._compiled = solver.compiled
        self._ready = ready
        self._number = solver._number
        self._budget = 1
        self._aids: list[tuple[float, object]] = []
        self._ahead: tuple[tuple[float, Vector, March], ...] = ()
        self._warm = False

    def arrived(self, state: State, until: float) -> bool:
        return float(state.t) >= float(self._number(until))

    def advance(self, state: State, until: float) -> tuple[State, Chunk]:
        """Towards `until`, in as many steps as a tick has room for."""
        started = perf_counter()
        if self._control == "fixed":
            assert self._plan.stepping.dt is not None
            after, chunk = self._fixed(state, until, self._plan.stepping.dt)
        elif self._control == "adaptive":
            after, chunk = self._adaptive(state, until)
        else:
            after, chunk = self._checked(state, until)
        self._learn(chunk.steps + chunk.rejected, perf_counter() - started)
        return after, chunk

    def _learn(self, steps: int, seconds: float) -> None:
        if not self._warm:
            self._warm = True  # compiling took most of it
            return
        room = int(TICK / max(seconds, 1e-6) * max(steps, 1))
        self._budget = max(1, min(room, 16 * self._budget, 2**30))

    def _march(self, state: State, until: float, h: float, count: int, whole: int) -> tuple[State, March]:
        moved = self._stepped(state.t, state.y, h, count)
        t = until if count == whole else float(state.t) + count * h
        return State(self._number(t), moved.y, self._number(h)), moved

    def _stepped(self, t: Array, y: Vector, h: float, count: int) -> March:
        """`count` steps; one alone may be known from the last look ahead."""
        if count == 1:
            for size, before, moved in self._ahead:
                if abs(size - h) <= 1e-12 * h and before is y:
                    return moved
        step = self._number(h)
        return self._compiled.march(t, y, step, np.int32(count), self._coefficients(h), self._ready)

    def _coefficients(self, h: float) -> object:
        for known, aid in self._aids:
            if abs(known - h) <= 1e-12 * h:
                return aid
        aid = self._compiled.aid(self._number(h), self._ready)
        self._aids = [(h, aid), *self._aids[:1]]
        return aid

    def _fixed(self, state: State, until: float, dt: float) -> tuple[State, Chunk]:
        left = until - float(state.t)
        whole = step_count(left, dt)
        after, moved = self._march(state, until, left / whole, min(whole, self._budget), whole)
        return after, Chunk(int(moved.taken), 0, left / whole, bool(moved.finite), False)

    def _adaptive(self, state: State, until: float) -> tuple[State, Chunk]:
        budget = np.int32(self._budget)
        after, tally = self._compiled.advance(state, self._number(until), budget, self._ready)
        return after, Chunk(int(tally.steps), int(tally.rejected), float(tally.last), True, bool(tally.stuck))

    def _checked(self, state: State, until: float) -> tuple[State, Chunk]:
        left = until - float(state.t)
        bound = self._bound
        cap = self._frame_span(left) if bound is None else min(self._frame_span(left), bound)
        h = float(state.dt)
        rejected = 0
        if h <= 0:
            h = cap
            while True:
                seen = self._assess(state, h)
                if seen[0] <= 1:
                    break
                rejected, h = rejected + 1, seen[1]
                if rejected > TRIES or self._hopeless(h):
                    return state, Chunk(0, rejected, h, True, True)
        size, finite = h, True
        while rejected <= TRIES and not self._hopeless(h):
            whole = step_count(left, h)
            size = left / whole
            count = min(whole, self._budget)
            after, moved = self._march(state, until, size, count, whole)
            finite = bool(moved.finite)
            error, wanted = self._assess(after, size) if finite else (inf, size / 10)
            if error <= 1:
                following = min(wanted, cap) if wanted > GROW * size else max(h, size)
                kept = after._replace(dt=self._number(following))
                return kept, Chunk(count, rejected, size, True, False)
            rejected, h = rejected + 1, min(wanted, size / 2)
        return state, Chunk(0, rejected, size, True, True)

    def _hopeless(self, h: float) -> bool:
        return h * MOST_STEPS < self._frame_span(0.0)

    def _frame_span(self, left: float) -> float:
        frames = self._plan.frames
        return max(left, (frames[-1] - frames[0]) / max(len(frames) - 1, 1))

    def _assess(self, state: State, h: float) -> tuple[float, float]:
        """Two steps of h against one of 2h: (error over a frame, step wanted)."""
        t, y, single = state.t, state.y, self._number(h)
        first = self._stepped(t, y, h, 1)
        second = self._stepped(self._number(float(t) + h), first.y, h, 1)
        self._ahead = ((h, y, first), (h, first.y, second))
        coarse = self._stepped(t, y, 2 * h, 1)
        span = self._number(self._frame_span(0.0))
        error = float(self._compiled.judge(y, second.y, coarse.y, single, span))
        change = min(max(SAFETY * max(error, 1e-12) ** (-1 / self._order), 0.1), 10.0)
        return error, h * (min(change, 0.5) if error > 1 else change)


def static_parameters(system: System) -> frozenset[str]:
    """Parameters in the ends of axes: another value is another grid."""
    axes = (*system.axes, *((system.time,) if system.time else ()))
    symbols = {s for a in axes for s in (a.lower.free_symbols | a.upper.free_symbols)}
    return frozenset(p.name for p in system.parameters if p.symbol in symbols)


def default_parameters(system: System) -> dict[str, float]:
    """Values as the spec gives them."""
    return {p.name: float(p.value) for p in system.parameters}


def build(plan: Plan) -> Solver:
    """Bind the plan's scheme and stepper. Nothing is compiled yet. Raises `Unsupported`."""
    scheme = _scheme(plan)
    method = method_of(plan.stepping, scheme)
    programs = Programs(plan, scheme, method, control_of(plan.stepping, method), tolerance_of(plan.stepping))
    # What runs once a frame is not worth the time that LLVM's optimiser takes.
    hasty = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
    once = partial(jax.jit, compiler_options=hasty)
    compiled = Compiled(
        prepare=jax.jit(programs.prepare),
        initial=jax.jit(programs.initial),
        fields=jax.jit(programs.fields),
        rate=jax.jit(programs.rate),
        step=jax.jit(programs.step),
        solve=jax.jit(programs.solve, static_argnames=("start", "times")),
        start=once(programs.initial),
        show=once(programs.fields),
        aid=once(programs.aid) if method.aided else programs.aid,
        march=jax.jit(programs.march),
        judge=once(programs.judge),
        advance=jax.jit(programs.advance),
    )
    return Solver(plan, MappingProxyType(default_parameters(plan.system)), programs, compiled)


def _scheme(plan: Plan) -> Semidiscretisation[Vector]:
    if plan.method == "spectral":
        from nablax.backends.spectral import build as build_spectral

        return build_spectral(plan)
    if plan.method == "fd":
        from nablax.backends.differences import build as build_differences

        return build_differences(plan)
    raise Unsupported(f"no backend for the method `{plan.method}`")
