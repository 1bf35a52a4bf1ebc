"""The host loop: frames as they come, from programs that each do a bounded piece of work."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, prod
from time import perf_counter
from types import MappingProxyType
from typing import cast

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.frames import Breakdown, Frame, NumericalFailure, Progress
from nablax.backends.interface import Opening, Parameters, State, Vector
from nablax.backends.memory.march import Steps, steps_of
from nablax.backends.precision import precise
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.checked import GROW, MOST_STEPS, SAFETY, TRIES
from nablax.backends.stepping.control import STEPWISE, Control
from nablax.backends.stepping.fixed import BETWEEN_CHECKS, March, step_count
from nablax.outline import Outline
from nablax.planning.meshes import mesh_of, steps_between

TICK = 0.2  # seconds between signs of life, at least
CHUNK_WORK = 1 << 24  # points times steps of an explicit stepper in a chunk: about a second
SAME = 0.05  # how far apart the times may be at which steps of three sizes become infinite
TELLING = 2048  # steps that show how a solution grew before it became infinite
SOLVES = 32  # times as much work has a step that solves equations


@dataclass(frozen=True, slots=True)
class HostPrograms:
    """What the loop calls, never part of another program: see `nablax.backends.programs.Programs`.

    `start` makes what is there at the start of time from complete parameters.
    """

    start: Callable[[Parameters], Opening]
    prepare: Callable[[Parameters], Parameters]
    show: Callable[..., dict[str, Array]]
    aid: Callable[..., object]
    march: Callable[..., March]
    judge: Callable[..., Array]
    advance: Callable[..., tuple[State, Tally]]
    follow: Callable[..., March] | None = None


@dataclass(frozen=True, slots=True)
class Drive:
    """A solver as the loop sees it: `bound` is the longest step, `order` the method's."""

    outline: Outline
    control: Control
    bound: float | None
    order: int
    programs: HostPrograms

    def number(self, value: float) -> Array:
        """In the plan's precision. A NumPy scalar: to JAX as good as an array, and no program makes it."""
        return cast(Array, np.dtype(self.outline.dtype).type(value))


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a piece of a frame took. `stuck`: the error control found no step small enough; `mesh`: the steps
    known beforehand, of which it took the first."""

    steps: int
    rejected: int
    dt: float
    finite: bool
    stuck: bool
    mesh: Steps | None = None


def events(
    drive: Drive, params: Parameters, initial: Opening | None, times: Sequence[float]
) -> Iterator[Frame | Progress]:
    """Frames at `times` as they come, with `Progress` in long ones; from a given state, those after its time.

    `params` are complete. Raises `NumericalFailure`.
    """
    dtype, number = drive.outline.dtype, drive.number
    with precise(dtype, params, initial):
        ready = drive.programs.prepare(params)
        opening = drive.programs.start(params) if initial is None else initial
    state = opening.state
    loop = Loop(drive, ready)
    index = 0
    if initial is None or float(state.t) <= times[0]:
        yield _frame(drive, 0, opening, ready, 0, 0, 0.0)
        index = 1
    while index < len(times) and float(number(times[index])) <= float(state.t):
        index += 1
    total = 0
    ticked = perf_counter()
    for frame in range(index, len(times)):
        steps = rejected = 0
        dt = 0.0
        while not loop.arrived(state, times[frame]):
            with precise(dtype):
                after, chunk = loop.advance(state, times[frame])
                if chunk.stuck or not chunk.finite:
                    raise NumericalFailure(_breakdown(drive, state, after, chunk, ready))
            state = after
            steps, rejected, dt = steps + chunk.steps, rejected + chunk.rejected, chunk.dt
            if perf_counter() - ticked > TICK and not loop.arrived(state, times[frame]):
                yield Progress(float(state.t), total + steps)
                ticked = perf_counter()
        total += steps
        yield _frame(drive, frame, Opening(state, {}), ready, steps, rejected, dt)
        ticked = perf_counter()


def collected(
    drive: Drive, params: Parameters, opening: Opening, start: float, times: tuple[float, ...]
) -> tuple[Array, dict[str, Array]]:
    """(times, fields stacked over them) from a state at `start`: a solve whose programs are small.

    The choice of a step compiles slowly inside one program; here it follows the same rule on the host.
    """
    ahead = times if times[0] <= start else (start, *times)
    seen = events(drive, params, opening, ahead)
    frames = [event for event in seen if isinstance(event, Frame)][len(ahead) - len(times) :]
    with precise(drive.outline.dtype):
        t = jnp.asarray(np.asarray([frame.t for frame in frames], drive.outline.dtype))
        # Stacked by NumPy: frames are its arrays, and no program is compiled.
        return t, {n: jnp.asarray(np.stack([f.fields[n] for f in frames])) for n in frames[0].fields}


def chunk_steps(outline: Outline) -> int:
    """Steps in a chunk, by the size of the grid."""
    work = prod(outline.shape) * (SOLVES if outline.stepping.name in ("imex", "implicit") else 1)
    return max(16, CHUNK_WORK // work)


def mesh_steps(outline: Outline) -> int:
    """Steps in a chunk of a run whose steps are known: no more than lie between two of its frames."""
    longest = max((len(m) - 1 for m in mesh_of(outline.stepping, outline.frames)), default=1)
    return min(chunk_steps(outline), longest)


def _frame(
    drive: Drive, index: int, at: Opening, ready: Parameters, steps: int, rejected: int, dt: float
) -> Frame:
    state = at.state
    with precise(drive.outline.dtype):
        shown = drive.programs.show(state.t, state.y, ready)
        fields = {n: np.asarray(at.given.get(n, a)) for n, a in shown.items()}
    for name, values in fields.items():
        if not np.isfinite(values).all():
            where = _place(drive, ~np.isfinite(values))
            raise NumericalFailure(
                Breakdown("infinite", float(state.t), name, where, float(state.t), inf, dt)
            )
    return Frame(index, float(state.t), MappingProxyType(fields), steps, rejected, dt, state=state)


def _breakdown(drive: Drive, state: State, after: State, chunk: Chunk, ready: Parameters) -> Breakdown:
    """Where and when: the last steps once more, one by one."""
    if chunk.stuck:
        fields = _magnitudes(drive, after, ready)
        name = max(fields, key=lambda n: float(fields[n].max()))
        largest = float(fields[name].max())
        where = _place(drive, fields[name] == largest)
        return Breakdown("step", float(after.t), name, where, float(after.t), largest, chunk.dt)
    begins, steps = _again(drive, state, chunk, ready)
    sure = max(0, chunk.steps - 2 * BETWEEN_CHECKS)
    y = steps(state.y, 0, sure)
    last = _magnitudes(drive, State(drive.number(begins[sure]), y, state.dt), ready)
    for i in range(sure + 1, chunk.steps + 1):
        y = steps(y, i - 1, i)
        seen = _magnitudes(drive, State(drive.number(begins[i]), y, state.dt), ready)
        for name, values in seen.items():
            if not np.isfinite(values).all():
                where, largest = _place(drive, ~np.isfinite(values)), float(last[name].max())
                h = begins[i] - begins[i - 1]
                return Breakdown("infinite", begins[i], name, where, begins[i - 1], largest, h)
        last = seen
    name = next(iter(last))
    t = begins[chunk.steps]
    return Breakdown("infinite", t, name, {}, t, float(last[name].max()), chunk.dt)


def _again(
    drive: Drive, state: State, chunk: Chunk, ready: Parameters
) -> tuple[list[float], Callable[[Vector, int, int], Vector]]:
    """The times between the steps of a chunk, and how to take some of them once more."""
    p, mesh = drive.programs, chunk.mesh
    if mesh is not None and p.follow is not None:
        follow, start = p.follow, drive.outline.frames[0]
        begins = [start + float(t) for t in mesh.begins[: chunk.steps]]
        begins.append(start + float(mesh.begins[chunk.steps - 1] + mesh.lengths[chunk.steps - 1]))
        return begins, lambda y, a, b: follow(y, mesh, np.int32(a), np.int32(b), ready).y
    h = drive.number(chunk.dt)
    aid = p.aid(h, ready)
    times = [float(state.t) + i * float(h) for i in range(chunk.steps + 1)]
    return times, lambda y, a, b: p.march(drive.number(times[a]), y, h, np.int32(b - a), aid, ready).y


def _magnitudes(drive: Drive, state: State, ready: Parameters) -> dict[str, np.ndarray]:
    return {n: np.abs(np.asarray(a)) for n, a in drive.programs.show(state.t, state.y, ready).items()}


def _place(drive: Drive, mask: np.ndarray) -> dict[str, float]:
    index = np.unravel_index(int(np.argmax(mask)), mask.shape)
    return {a.name: a.first + a.spacing * int(i) for a, i in zip(drive.outline.grid, index, strict=True)}


class Loop:
    """Drives the compiled programs from the host, in chunks of bounded work.

    A chunk ends after a number of steps that only the plan decides: error control looks afresh at the
    start of each, so that a clock would make one run differ from the next, and from a restarted one. It
    remembers what is dear and stays the same from chunk to chunk: the coefficients of the last step size.
    """

    def __init__(self, drive: Drive, ready: Parameters) -> None:
        self._frames = drive.outline.frames
        self._dt = drive.outline.stepping.dt
        self._control = drive.control
        self._stepping = drive.outline.stepping
        self._dtype = drive.outline.dtype
        self._bound = drive.bound
        self._order = drive.order
        self._programs = drive.programs
        self._ready = ready
        self._number = drive.number
        self._budget = chunk_steps(drive.outline)
        self._room = mesh_steps(drive.outline) if drive.control == "mesh" else 0
        self._aids: list[tuple[float, object]] = []
        self._ahead: tuple[tuple[float, Vector, March], ...] = ()

    def arrived(self, state: State, until: float) -> bool:
        return float(state.t) >= float(self._number(until))

    def advance(self, state: State, until: float) -> tuple[State, Chunk]:
        """Towards `until`, as far as a chunk goes."""
        if self._control == "fixed":
            assert self._dt is not None
            return self._fixed(state, until, self._dt)
        if self._control == "mesh":
            return self._meshed(state, until)
        if self._control in STEPWISE:
            return self._adaptive(state, until)
        return self._checked(state, until)

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
        return self._programs.march(t, y, step, np.int32(count), self._coefficients(h), self._ready)

    def _coefficients(self, h: float) -> object:
        for known, aid in self._aids:
            if abs(known - h) <= 1e-12 * h:
                return aid
        aid = self._programs.aid(self._number(h), self._ready)
        self._aids = [(h, aid), *self._aids[:1]]
        return aid

    def _fixed(self, state: State, until: float, dt: float) -> tuple[State, Chunk]:
        left = until - float(state.t)
        whole = step_count(left, dt)
        after, moved = self._march(state, until, left / whole, min(whole, self._budget), whole)
        return after, Chunk(int(moved.taken), 0, left / whole, bool(moved.finite), False)

    def _meshed(self, state: State, until: float) -> tuple[State, Chunk]:
        assert self._programs.follow is not None
        times = steps_between(self._stepping, self._frames, float(state.t), until)[: self._room + 1]
        # One length for all intervals between frames, so that one program serves them.
        padded = np.pad(times, (0, self._room + 1 - len(times)), mode="edge")
        steps = steps_of((padded,), self._frames[0], self._dtype)
        count = len(times) - 1
        moved = self._programs.follow(state.y, steps, np.int32(0), np.int32(count), self._ready)
        h = float(times[-1] - times[-2])
        return State(self._number(times[-1]), moved.y, self._number(h)), Chunk(
            int(moved.taken), 0, h, bool(moved.finite), False, steps
        )

    def _adaptive(self, state: State, until: float) -> tuple[State, Chunk]:
        budget = np.int32(self._budget)
        after, tally = self._programs.advance(state, self._number(until), budget, self._ready)
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
        size = h
        broken: list[float] = []
        while rejected <= TRIES and not self._hopeless(h):
            whole = step_count(left, h)
            size = left / whole
            count = min(whole, self._budget)
            after, moved = self._march(state, until, size, count, whole)
            finite = bool(moved.finite)
            if not finite:
                broken = [*broken[-2:], int(moved.taken) * size]
                alike = len(broken) == 3 and max(broken) - min(broken) <= SAME * min(broken)
                if alike and self._singular(state, until, size, int(moved.taken), whole):
                    return state, Chunk(int(moved.taken), rejected, size, False, False)
            error, wanted = self._assess(after, size) if finite else (inf, size / 10)
            if error <= 1:
                following = min(wanted, cap) if wanted > GROW * size else max(h, size)
                kept = after._replace(dt=self._number(following))
                return kept, Chunk(count, rejected, size, True, False)
            rejected, h = rejected + 1, min(wanted, size / 2)
        return state, Chunk(0, rejected, size, True, True)

    def _singular(self, state: State, until: float, size: float, taken: int, whole: int) -> bool:
        """Whether it is the solution that is infinite after `taken` steps: it grows ever faster until then.
        A method that is unstable from some time on does so without a sign before it."""
        if taken < TELLING:
            return False
        largest = []
        marched = 0
        for part in (3 / 4, 7 / 8, 15 / 16):
            count = int(part * taken) - marched
            state, _ = self._march(state, until, size, count, whole)
            marched += count
            largest.append(max(float(np.max(np.abs(a))) for a in state.y))
        first, second, third = largest
        return second - first > 0 and third - second > 0.75 * (second - first)

    def _hopeless(self, h: float) -> bool:
        return h * MOST_STEPS < self._frame_span(0.0)

    def _frame_span(self, left: float) -> float:
        frames = self._frames
        return max(left, (frames[-1] - frames[0]) / max(len(frames) - 1, 1))

    def _assess(self, state: State, h: float) -> tuple[float, float]:
        """Two steps of h against one of 2h: (error over a frame, step wanted)."""
        t, y, single = state.t, state.y, self._number(h)
        first = self._stepped(t, y, h, 1)
        second = self._stepped(self._number(float(t) + h), first.y, h, 1)
        self._ahead = ((h, y, first), (h, first.y, second))
        coarse = self._stepped(t, y, 2 * h, 1)
        span = self._number(self._frame_span(0.0))
        error = float(self._programs.judge(y, second.y, coarse.y, single, span))
        change = min(max(SAFETY * max(error, 1e-12) ** (-1 / self._order), 0.1), 10.0)
        return error, h * (min(change, 0.5) if error > 1 else change)
