"""A plan made to run: pure functions for JAX programs, and a host loop for runs with progress."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import cast

import jax
import numpy as np
from jax import Array

from nablax.backends.arguments import complete, default_parameters
from nablax.backends.checks import NO_RATE, Numbers, check_fields, check_orders, check_state, times_of
from nablax.backends.frames import Frame, Progress
from nablax.backends.interface import (
    Opening,
    Parameters,
    Semidiscretisation,
    Split,
    State,
    Unsupported,
    Vector,
)
from nablax.backends.loop import Drive, HostPrograms, events
from nablax.backends.memory.scheme import build_remembering
from nablax.backends.nodes import samples
from nablax.backends.precision import precise, traced
from nablax.backends.programs import Programs
from nablax.backends.solution import Solution
from nablax.backends.solving import solution_of
from nablax.backends.stepping.adaptive import Tally
from nablax.backends.stepping.choice import bundle_of, control_of, method_of, paired, tolerance_of
from nablax.backends.stepping.fixed import March
from nablax.backends.tuning import BUNDLES, tuned
from nablax.outline import Outline
from nablax.outlining import outline_of
from nablax.plan import Plan
from nablax.planning.projection import projected


@dataclass(frozen=True, slots=True)
class Compiled:
    """The programs behind jit. Those of the host loop are never part of another program."""

    prepare: Callable[[Parameters], Parameters]
    initial: Callable[..., Opening]
    fields: Callable[..., dict[str, Array]]
    rate: Callable[..., Vector]
    step: Callable[..., State]
    solve: Callable[..., tuple[Array, dict[str, Array]]]
    start: Callable[..., Opening]
    show: Callable[..., dict[str, Array]]
    aid: Callable[..., object]
    march: Callable[..., March]
    follow: Callable[..., March]
    judge: Callable[..., Array]
    advance: Callable[..., tuple[State, Tally]]


@dataclass(frozen=True, slots=True)
class Solver:
    """`initial`, `step`, `rhs`, `fields` and `solve` are pure; parameters left out keep their default.

    Every call may raise `PrecisionError`: float64 planned, float32 in force, and a transformation around.
    """

    plan: Plan = field(repr=False)
    outline: Outline = field(repr=False)
    parameters: Mapping[str, float]
    programs: Programs = field(repr=False)
    compiled: Compiled = field(repr=False)

    @property
    def drive(self) -> Drive:
        """What the host loop takes."""
        c, drawn = self.compiled, samples(self.plan)
        host = HostPrograms(
            start=lambda params: c.start(self._given(params), {}, drawn),
            prepare=lambda params: c.prepare(self._given(params)),
            show=c.show,
            aid=c.aid,
            march=c.march,
            judge=c.judge,
            advance=c.advance,
            follow=c.follow,
        )
        p = self.programs
        return Drive(self.outline, p.control, p.bound, p.method.order, host)

    def _repr_html_(self) -> str:
        return self.plan._repr_html_()

    def initial(self, params: Numbers | None = None, fields: Mapping[str, Array] | None = None) -> State:
        """The state at the start of time; frames from it show what it holds.

        `fields`, nodal arrays of shape `plan.shape` by name (`U.x`; `dt(w)` for a rate), replace the
        spec's data. Raises ValueError for a name, a shape or a kind of number that does not fit.
        """
        given = dict(fields or {})
        check_fields(self.outline, given)
        with precise(self.plan.dtype, params, given):
            complete = self._given(self._complete(params))
            return self.compiled.initial(complete, given, samples(self.plan)).state

    def step(self, state: State, params: Numbers | None = None) -> State:
        """One step: of the plan's dt, or as far as the error control goes in one."""
        check_state(self.outline, state)
        with precise(self.plan.dtype, params, state):
            return self.compiled.step(state, self._given(self._complete(params)))

    def rhs(self, t: float | Array, y: State | Vector, params: Numbers | None = None) -> Vector:
        """dy/dt for `state.y`, in the order and representation of the state (what diffrax asks of a term).

        Raises TypeError for a constrained system, whose state may not leave the constraint, and for one whose
        derivatives in time remember the past.
        """
        if self.plan.system.has_memory:
            raise TypeError(NO_RATE)
        if self.plan.system.constraints:
            name = self.plan.system.constraints[0].name
            raise TypeError(
                f"a system with constraints has no right-hand side of its own (`{name}` must hold at every "
                "moment): use `step` or `solve`"
            )
        vector = y.y if isinstance(y, State) else y
        with precise(self.plan.dtype, params, t, y):
            return self.compiled.rate(t, vector, self._given(self._complete(params)))

    def fields(self, state: State, params: Numbers | None = None) -> dict[str, Array]:
        """Nodal arrays of shape `plan.shape` by component name, multipliers (a pressure) included."""
        check_state(self.outline, state)
        with precise(self.plan.dtype, params, state):
            ready = self.compiled.prepare(self._given(self._complete(params)))
            return self.compiled.fields(state.t, state.y, ready)

    def solve(
        self,
        params: Numbers | None = None,
        initial: State | None = None,
        save_at: Sequence[float] | None = None,
    ) -> Solution:
        """Fields at `save_at` (the plan's frames by default), in memory.

        Without `initial`, a frame at the start shows the spec's data, of which a dealiased state holds less.

        Pure: goes through jit, vmap, forward and reverse mode; second derivatives need a fixed dt
        (`SecondDerivativeError` otherwise). Output times are static: under a transformation an `initial`
        is taken to be at `plan.frames[0]`. Eager calls raise `NumericalFailure` for a run that breaks
        down; under a transformation the fields are not a number from there on.
        """
        times = times_of(self.outline, save_at)
        with precise(self.plan.dtype, params, initial):
            eager = not traced(params, initial)
            complete = self._complete(params)
            opening = Opening(initial, {}) if initial is not None else self._opening(complete)

            def solve(
                params: Parameters, opening: Opening, *, start: float, times: tuple[float, ...]
            ) -> tuple[Array, dict[str, Array]]:
                return self.compiled.solve(self._given(params), opening, start=start, times=times)

            return solution_of(self.drive, solve, complete, opening, times, eager, initial is None)

    def stream(
        self, params: Numbers | None = None, initial: State | None = None
    ) -> Iterator[Frame | Progress]:
        """Frames as they come, with `Progress` in long ones; what the command line runs.

        From `initial`, the frames after its time. Raises `NumericalFailure`.
        """
        with precise(self.plan.dtype, params, initial):
            complete = self._complete(params)
        opening = None if initial is None else Opening(initial, {})
        return events(self.drive, complete, opening, self.plan.frames)

    # --- arguments ---

    def _opening(self, complete: Parameters) -> Opening:
        return self.compiled.initial(self._given(complete), {}, samples(self.plan))

    def _complete(self, params: Numbers | None) -> Mapping[str, Array]:
        found = complete(self.plan, self.parameters, params)
        if params:
            check_orders(self.outline, found)
        return found

    def _given(self, params: Mapping[str, Array]) -> Parameters:
        """What programs are called with: complete parameters, and matrices that would else be constants."""
        return {**params, **cast(Parameters, self.programs.tables())}


def build(plan: Plan) -> Solver:
    """Bind the plan's scheme and stepper. Nothing is compiled yet. Raises `Unsupported`."""
    scheme = _scheme(plan)
    if plan.system.has_memory:
        scheme = build_remembering(cast(Split[Vector], scheme))
    method = method_of(plan.stepping, scheme)
    control, tolerance = control_of(plan.stepping, method, scheme), tolerance_of(plan.stepping)
    plain = Programs(plan, scheme, method, control, tolerance)
    # On an accelerator nothing but a measurement speaks for bundles.
    local = jax.default_backend() == "cpu"
    steps = plan.bundle if local else 1
    if plan.tune:
        steps = _tuned(plain)
    bundle, pairs = bundle_of(steps, plan.stepping, scheme), local and paired(plan.stepping, scheme)
    programs = replace(plain, bundle=bundle, paired=pairs)
    # What runs once a frame is not worth the time that LLVM's optimiser takes.
    hasty = {"xla_backend_optimization_level": 0} if local else None
    once = partial(jax.jit, compiler_options=hasty)
    compiled = Compiled(
        prepare=jax.jit(programs.prepare),
        initial=jax.jit(programs.start),
        fields=jax.jit(programs.fields),
        rate=jax.jit(programs.rate),
        step=jax.jit(programs.step),
        solve=jax.jit(programs.solve, static_argnames=("start", "times")),
        start=once(programs.start),
        show=once(programs.fields),
        aid=once(programs.aid) if method.aided else programs.aid,
        march=jax.jit(programs.march),
        follow=jax.jit(programs.follow),
        judge=once(programs.judge),
        advance=jax.jit(programs.advance),
    )
    defaults = MappingProxyType(default_parameters(plan.system))
    return Solver(plan, outline_of(plan), defaults, programs, compiled)


def _tuned(plain: Programs) -> int:
    """Steps in a bundle that this device is fastest with; 1 where there is no choice."""
    plan = plain.plan
    made = {steps: bundle_of(steps, plan.stepping, plain.scheme) for steps in BUNDLES}
    fitting = {steps: b for steps, b in made.items() if steps == 1 or (b is not None and b.steps == steps)}
    if len(fitting) == 1:
        return 1
    defaults = default_parameters(plan.system)
    with precise(plan.dtype):
        params = {name: np.asarray(value, plan.dtype) for name, value in defaults.items()}
        ready = jax.jit(plain.prepare)(params)
        state = jax.jit(plain.initial)(params, {}, samples(plan))
        span = plan.frames[-1] - plan.frames[0]
        h = np.asarray(plan.stepping.dt or min(plain.bound or span / 1000, span), plan.dtype)
        kernel = jax.jit(plain.rate).lower(state.t, state.y, ready).as_text()

    def run(program: Callable[..., March]) -> Callable[[int], object]:
        def steps(count: int) -> object:
            with precise(plan.dtype):
                moved = program(state.t, state.y, h, np.int32(count), (), ready)
                return moved.taken.block_until_ready()

        return steps

    runs = {steps: run(jax.jit(replace(plain, bundle=b).march)) for steps, b in fitting.items()}
    return tuned(kernel, plan.stepping.name, runs)


def _scheme(plan: Plan) -> Semidiscretisation[Vector]:
    if plan.method == "spectral" and not all(a.periodic for a in plan.grid):
        from nablax.backends.spectral.galerkin import build as build_eigenfunctions

        return build_eigenfunctions(plan)
    if plan.method == "spectral":
        from nablax.backends.spectral import build as build_spectral

        return build_spectral(plan)
    if plan.method == "fd" and projected(plan.system):
        from nablax.backends.differences.projected import build_projected

        return build_projected(plan)
    if plan.method == "fd" and plan.system.constraints:
        from nablax.backends.differences.constrained import build_constrained

        return build_constrained(plan)
    if plan.method == "fd":
        from nablax.backends.differences import build as build_differences

        return build_differences(plan)
    if plan.method == "fv":
        from nablax.backends.volumes import build as build_volumes

        return build_volumes(plan)
    raise Unsupported(f"no backend for the method `{plan.method}`")
