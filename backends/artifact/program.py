"""A loaded artifact: the interface of a solver on exported programs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import Manifest
from nablax.backends.artifact.pace import Pace
from nablax.backends.artifact.parameters import complete
from nablax.backends.artifact.parameters import shapes as shapes_of
from nablax.backends.checks import NO_RATE, Numbers, check_fields, check_state, times_of
from nablax.backends.frames import Frame, Progress
from nablax.backends.interface import Opening, Parameters, State, Vector
from nablax.backends.loop import Drive, HostPrograms, events
from nablax.backends.memory.march import Piece, Steps, check_room, steps_from, trajectory
from nablax.backends.noise import noise
from nablax.backends.precision import precise, traced
from nablax.backends.solution import Solution
from nablax.backends.solving import (
    FOREVER,
    Program,
    in_chosen_steps,
    in_equal_steps,
    opened,
    poisoned,
    solution_of,
)
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.control import STEPWISE
from nablax.backends.stepping.fixed import March
from nablax.outline import Outline
from nablax.planning.meshes import mesh_of

Call = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Artifact:
    """`initial`, `step`, `rhs`, `fields` and `solve` are those of `nablax.backends.solver.Solver`.

    They go through jit and through vmap, which calls the programs member by member; reverse mode passes
    where the spec's `dt` is fixed (`differentiable`), forward mode does not pass exported programs.
    Every call may raise `PrecisionError`.
    """

    manifest: Manifest = field(repr=False)
    parameters: Mapping[str, float]
    calls: Mapping[str, Call] = field(repr=False)
    _compiled: dict[str, Call] = field(default_factory=dict, repr=False)

    @property
    def outline(self) -> Outline:
        return self.manifest.outline

    @property
    def differentiable(self) -> bool:
        """Whether reverse mode passes `solve`."""
        return self.manifest.differentiable

    def _repr_html_(self) -> str:
        from nablax.notebook import artifact_html

        return artifact_html(self.outline, self.manifest.platforms)

    def initial(self, params: Numbers | None = None, fields: Mapping[str, Array] | None = None) -> State:
        """The state at the start of time; `fields`, nodal arrays by name, replace the spec's data.

        Raises ValueError for a name, a shape or a kind of number that does not fit.
        """
        given = dict(fields or {})
        check_fields(self.outline, given)
        with precise(self.outline.dtype, params, given):
            return self._initial(self.complete(params), given)

    def step(self, state: State, params: Numbers | None = None) -> State:
        """One step: of the spec's dt, or as far as the error control goes in one."""
        check_state(self.outline, state)
        with precise(self.outline.dtype, params, state):
            return cast(State, self._jitted("step", self._step)(state, self.complete(params)))

    def rhs(self, t: float | Array, y: State | Vector, params: Numbers | None = None) -> Vector:
        """dy/dt for `state.y`. Raises TypeError for a constrained system, and for one that remembers its
        past."""
        if self.manifest.control == "mesh":
            raise TypeError(NO_RATE)
        if "rate" not in self.calls:
            raise TypeError(
                f"a system with constraints has no right-hand side of its own (`{self.outline.constraint}` "
                "must hold at every moment): use `step` or `solve`"
            )
        vector = y.y if isinstance(y, State) else y
        with precise(self.outline.dtype, params, t, y):
            rate = self._program("rate")(t, tuple(vector), self.complete(params))
            return cast(Vector, rate)

    def fields(self, state: State, params: Numbers | None = None) -> dict[str, Array]:
        """Nodal arrays of the grid's shape by component name."""
        check_state(self.outline, state)
        with precise(self.outline.dtype, params, state):
            ready = self._program("prepare")(self.complete(params))
            return self._shown(state.t, state.y, ready)

    def solve(
        self,
        params: Numbers | None = None,
        initial: State | None = None,
        save_at: Sequence[float] | None = None,
    ) -> Solution:
        """Fields at `save_at` (the spec's frames by default), in memory; as `Solver.solve`.

        Eager calls raise `NumericalFailure` for a run that breaks down; under a transformation the fields
        are not a number from there on.
        """
        times = times_of(self.outline, save_at)
        with precise(self.outline.dtype, params, initial):
            eager = not traced(params, initial)
            complete = self.complete(params)
            opening = Opening(initial, {}) if initial is not None else self._opening(complete)
            solve = cast(Program, self._jitted("solve", self._solve, ("start", "times")))
            return solution_of(self.drive, solve, complete, opening, times, eager, initial is None)

    def stream(
        self, params: Numbers | None = None, initial: State | None = None
    ) -> Iterator[Frame | Progress]:
        """Frames as they come, with `Progress` in long ones. Raises `NumericalFailure`."""
        with precise(self.outline.dtype, params, initial):
            complete = self.complete(params)
        opening = None if initial is None else Opening(initial, {})
        return events(self.drive, complete, opening, self.outline.frames)

    @property
    def drive(self) -> Drive:
        """What the host loop takes."""

        def named(name: str) -> Call:
            def absent(*_: object) -> object:
                raise ArtifactError(f"there is no program `{name}`")

            return self._hasty(name) if name in self.calls else absent

        def march(*args: object) -> March:
            y, taken, finite = cast(tuple[Vector, Array, Array], self._program("march")(*args))
            return March(y, taken, finite)

        def advance(state: State, until: Array, budget: Array, ready: Parameters) -> tuple[State, Tally]:
            return self._advance(state, until, budget, ready, self._program("advance"))

        def follow(y: Vector, steps: Steps, first: Array, last: Array, ready: Parameters) -> March:
            moved = self._program("follow")(y, *steps, first, last, ready)
            return March(*cast(tuple[Vector, Array, Array], moved))

        host = HostPrograms(
            start=lambda params: self._opening(params, hasty=True),
            prepare=cast(Callable[[Parameters], Parameters], self._program("prepare")),
            show=cast(Callable[..., dict[str, Array]], self._hasty("show")),
            aid=named("aid"),
            march=march,
            judge=cast(Callable[..., Array], named("judge")),
            advance=advance,
            follow=follow,
        )
        m = self.manifest
        return Drive(self.outline, m.control, m.bound, m.order, host)

    def pace(self, params: Numbers | None = None) -> Pace | None:
        """How fast the initial state's disturbances change; None for a constrained system."""
        if "pace" not in self.calls:
            return None
        with precise(self.outline.dtype, params):
            complete = self.complete(params)
            state = self._initial(complete, {})
            found = cast(tuple[Array, Array], self._hasty("pace")(state.t, state.y, complete))
            return Pace(*map(float, found))

    def rehearse(self) -> None:
        """Trace every program once, on shapes alone. Raises `ArtifactError` if they do not fit together."""

        def whole(params: Parameters) -> object:
            opening = self._opening(params)
            state = opening.state
            after = self._step(state, params)
            names = [name for name in ("rate", "pace") if name in self.calls]
            rates = [self.calls[name](state.t, state.y, params) for name in names]
            return (
                opening.given,
                rates,
                self._solve(
                    params, opening._replace(state=after), self.outline.frames[0], self.outline.frames
                ),
            )

        with precise(self.outline.dtype):
            numbers = shapes_of(self.outline, self.parameters)
            try:
                given, _, (_, fields) = jax.eval_shape(whole, numbers)
                shapes = {name: a.shape[1:] for name, a in fields.items()}
                shapes |= {name: a.shape for name, a in given.items()}
            except Exception as error:  # whatever programs of a stranger make JAX raise
                said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
                raise ArtifactError(f"the programs do not fit together ({said})") from None
        if shapes != dict.fromkeys(self.manifest.shown, self.outline.shape):
            raise ArtifactError("the programs show other fields than the manifest says")

    # --- programs in terms of states ---

    def _program(self, name: str) -> Call:
        return self._jitted(name, self.calls[name])

    def _jitted(self, name: str, function: Call, static: tuple[str, ...] = ()) -> Call:
        # One compiled function a program: jax.jit caches by the function's identity.
        if name not in self._compiled:
            self._compiled[name] = jax.jit(function, static_argnames=static)
        return self._compiled[name]

    def _hasty(self, name: str) -> Call:
        """A program that the host loop calls rarely: not worth the time that LLVM's optimiser takes."""
        key = f"{name}, hasty"
        if key not in self._compiled:
            hasty = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
            self._compiled[key] = jax.jit(self.calls[name], compiler_options=hasty)
        return self._compiled[key]

    def _initial(self, params: Parameters, given: Mapping[str, Array], program: Call | None = None) -> State:
        shape = self.outline.shape
        fields = {name: given.get(name, np.zeros(shape, kind)) for name, kind in self.manifest.kinds()}
        chosen = {name: np.asarray(name in given) for name in fields}
        made = (program or self._program("initial"))(dict(params), self._drawn(), fields, chosen)
        return State(*cast(tuple[Array, Vector, Array], made))

    def _opening(self, params: Parameters, hasty: bool = False) -> Opening:
        call = self._hasty if hasty else self._program
        given: dict[str, Array] = {}
        if "given" in self.calls:
            given = cast(dict[str, Array], call("given")(dict(params), self._drawn()))
        return Opening(self._initial(params, {}, call("initial")), given)

    def _drawn(self) -> dict[str, np.ndarray]:
        dtype, shape = self.outline.dtype, self.outline.shape
        return {name: noise(seed, shape).astype(dtype) for name, seed in self.manifest.draws}

    def _shown(self, t: Array, y: Vector, ready: object) -> dict[str, Array]:
        return cast(dict[str, Array], self._program("show")(t, y, ready))

    def _advance(
        self, state: State, until: Array, budget: Array, ready: object, program: Call
    ) -> tuple[State, Tally]:
        after, tally = cast(
            tuple[tuple[Array, Vector, Array], tuple[Array, Array, Array, Array]],
            program(state.t, state.y, state.dt, until, budget, ready),
        )
        return State(*after), Tally(*tally)

    def _step(self, state: State, params: Parameters) -> State:
        ready = self.calls["prepare"](dict(params))
        dtype = state.t.dtype
        frames, dt = self.outline.frames, self.outline.stepping.dt
        span = jnp.asarray(frames[-1] - frames[0], dtype)
        if self.manifest.control in STEPWISE:
            one = jnp.ones((), "int32")
            after, tally = self._advance(state, state.t + span, one, ready, self.calls["advance"])
            return after._replace(y=poisoned(after.y, tally.stuck))
        if self.manifest.control == "mesh":
            steps, at = steps_from(self.outline.stepping, frames, self.outline.dtype, state.t)
            one = jnp.arange(self._piece) == 0
            begins, lengths = (jnp.where(one, a[at], 0) for a in steps)
            y = self._several(ready)(state.y, Steps(begins, lengths), one)
            return State(frames[0] + begins[0] + lengths[0], y, lengths[0])
        if self.manifest.control == "fixed":
            h = jnp.asarray(dt, dtype)
            return State(state.t + h, self._stepped(state.t, h, state.y, 1, ready), h)
        frame = span / max(len(frames) - 1, 1)
        h = cast(Array, self.calls["choose"](state.t, state.y, state.dt, frame, ready))
        aid = self.calls["aid"](h, ready)
        one = jnp.ones((), "int32")
        y, _, _ = cast(tuple[Vector, Array, Array], self.calls["march"](state.t, state.y, h, one, aid, ready))
        return State(state.t + h, y, h)

    def _solve(
        self, params: Parameters, opening: Opening, start: float, times: tuple[float, ...]
    ) -> tuple[Array, dict[str, Array]]:
        t, fields = self._solved(params, opening.state, start, times)
        return t, opened(fields, opening, start, times)

    def _solved(
        self, params: Parameters, state: State, start: float, times: tuple[float, ...]
    ) -> tuple[Array, dict[str, Array]]:
        ready = self.calls["prepare"](dict(params))
        dtype, dt = self.outline.dtype, self.outline.stepping.dt

        def shown(t: Array, y: Vector) -> dict[str, Array]:
            return cast(dict[str, Array], self.calls["show"](t, y, ready))

        def frame(state: State, until: Array) -> tuple[State, dict[str, Array]]:
            after = self._frame(state, until, ready)
            return after, shown(until, after.y)

        def to(y: Vector, a: Array, b: Array, count: int) -> tuple[Vector, dict[str, Array]]:
            if count:
                y = self._stepped(a, (b - a) / count, y, count, ready)
            return y, shown(b, y)

        if self.manifest.control == "mesh":
            stepping, frames = self.outline.stepping, self.outline.frames
            mesh = mesh_of(stepping, frames, (start, *times))
            check_room(stepping, mesh)
            width = len(self.outline.evolving)
            found = trajectory(self._several(ready), self._piece, state.y, width, mesh, frames[0], dtype)
            ends = jnp.asarray(times, dtype)
            # Frames show nothing of the past.
            return ends, lax.map(lambda at: shown(at[0], (*at[1], *state.y[width:])), (ends, found))
        if self.manifest.control != "fixed":
            return in_chosen_steps(frame, state, times, dtype)
        assert dt is not None
        return in_equal_steps(to, state.y, start, times, dt, dtype)

    @property
    def _piece(self) -> int:
        """The steps known beforehand that one program takes."""
        (size,) = self.manifest.counts
        return size

    def _several(self, ready: object) -> Piece:
        program = self.calls[f"steps/{self._piece}"]
        return lambda y, steps, marked: cast(Vector, program(y, *steps, marked, ready))

    def _stepped(self, t: Array, h: Array, y: Vector, count: int, ready: object) -> Vector:
        """`count` steps by programs of as many steps as there are, the longest first."""
        done = 0
        for size in sorted(self.manifest.counts, reverse=True):
            pieces = (count - done) // size
            if not pieces:
                continue
            program = self.calls[f"steps/{size}"]
            if pieces == 1:
                y = cast(Vector, program(t + done * h, h, y, ready))
            else:
                starts = t + (done + size * jnp.arange(pieces, dtype=h.dtype)) * h

                def one(y: Vector, at: Array, program: Call = program) -> tuple[Vector, None]:
                    return cast(Vector, program(at, h, y, ready)), None

                y, _ = lax.scan(one, y, starts)
            done += pieces * size
        return y

    def _frame(self, state: State, until: Array, ready: object) -> State:
        if self.manifest.control in STEPWISE:
            program = self.calls["advance"]
            after, tally = self._advance(state, until, jnp.asarray(FOREVER), ready, program)
            return State(until, poisoned(after.y, tally.stuck), after.dt)
        frame = self.calls["frame"](state.t, state.y, state.dt, until, ready)
        return State(*cast(tuple[Array, Vector, Array], frame))

    def complete(self, params: Numbers | None) -> Mapping[str, Array]:
        """Every parameter in the artifact's precision; those that follow from others follow.

        Raises ValueError for an unknown name, `ArtifactError` for another value of a static one.
        """
        programs = {name: self._program(name) for name in ("derive", "coefficients") if name in self.calls}
        return complete(self.outline, programs, params)
