"""The pure functions a solver is made of, one scheme and one stepper bound together.

Each is traced at most once per shape: times, step sizes and counts are traced scalars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import (
    Courant,
    Opening,
    Parameters,
    Prepared,
    Semidiscretisation,
    State,
    Tabled,
    Truncating,
    Vector,
)
from nablax.backends.memory.march import MeshMethod, Steps, follow, piece_of, steps_from, taken, trajectory
from nablax.backends.memory.scheme import Remembering
from nablax.backends.nodes import noisy_fields
from nablax.backends.precision import in_precision, typed_parameters
from nablax.backends.solving import FOREVER, in_chosen_steps, in_equal_steps, opened, poisoned
from nablax.backends.stepping import adaptive, checked, courant
from nablax.backends.stepping.bundles import Bundle
from nablax.backends.stepping.choice import AnyMethod, inverse_of
from nablax.backends.stepping.control import STEPWISE, Control, Tolerance
from nablax.backends.stepping.fixed import March, checkpointed, march
from nablax.plan import Plan
from nablax.planning.meshes import mesh_of


@dataclass(frozen=True, slots=True)
class Programs:
    """`params` are always complete, `tables` among them or not; `ready` are those of `prepare`."""

    plan: Plan
    scheme: Semidiscretisation[Vector]
    method: AnyMethod
    control: Control
    tolerance: Tolerance
    bundle: Bundle | None = None
    paired: bool = False
    """Whether steps of one size are taken two at a time, where there is no bundle."""

    @property
    def bound(self) -> float | None:
        """The longest step: for stability, and so that what depends on time is seen."""
        stepping = self.plan.stepping
        limits = [x for x in (stepping.bound, stepping.cap) if x is not None]
        return min(limits, default=None)

    def tables(self) -> Mapping[str, np.ndarray]:
        """Matrices that follow from the grid alone, to be given among the parameters."""
        if not isinstance(self.scheme, Tabled):
            return {}
        return self.scheme.tables(inverse_of(self.plan.stepping, self.scheme))

    def prepare(self, params: Parameters) -> Parameters:
        typed = typed_parameters(params, self.plan.dtype)
        missing = {name: jnp.asarray(a) for name, a in self.tables().items() if name not in typed}
        ready = self.scheme.prepare(typed) if isinstance(self.scheme, Prepared) else typed
        return {**ready, **missing}

    def initial(self, params: Parameters, fields: Mapping[str, Array], drawn: Mapping[str, Array]) -> State:
        return self.start(params, fields, drawn).state

    def start(self, params: Parameters, fields: Mapping[str, Array], drawn: Mapping[str, Array]) -> Opening:
        """`fields` replace the spec's data; `drawn` is the noise in these."""
        typed = typed_parameters(params, self.plan.dtype)
        known = noisy_fields(self.plan, typed, drawn) | {n: jnp.asarray(a) for n, a in fields.items()}
        known = {n: in_precision(a, self.plan.dtype) for n, a in known.items()}
        t = jnp.asarray(self.plan.frames[0], self.plan.dtype)
        state = State(t, self.scheme.initial(typed, known), jnp.zeros_like(t))
        return Opening(state, self.scheme.given(typed, known) if isinstance(self.scheme, Truncating) else {})

    def fields(self, t: Array, y: Vector, ready: Parameters) -> dict[str, Array]:
        return self.scheme.fields(t, y, ready)

    def rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        typed = typed_parameters(params, self.plan.dtype)
        at = jnp.asarray(t).astype(self.plan.dtype)
        return self.scheme.rate(at, self.scheme.embed(at, y, typed), typed)

    def aid(self, h: Array, ready: Parameters) -> object:
        return self.method.aid(h, ready)

    def march(self, t: Array, y: Vector, h: Array, count: Array, aid: object, ready: Parameters) -> March:
        return march(self.scheme, self.method, t, y, h, count, aid, ready, self.bundle, self.paired)

    def follow(self, y: Vector, steps: Steps, first: Array, last: Array, ready: Parameters) -> March:
        """Steps whose times are known beforehand."""
        return follow(cast(MeshMethod, self.method), y, steps, first, last, ready)

    def several(self, y: Vector, steps: Steps, marked: Array, ready: Parameters) -> Vector:
        """Those of a fixed number of such steps that are marked; differentiable."""
        return taken(cast(MeshMethod, self.method), y, steps, marked, ready)

    def judge(self, y: Vector, fine: Vector, coarse: Vector, h: Array, span: Array) -> Array:
        order = self.method.order
        return checked.judged(self.scheme, order, self.tolerance, y, fine, coarse, h, span)

    def advance(
        self, state: State, until: Array, budget: Array, ready: Parameters
    ) -> tuple[State, adaptive.Tally]:
        """Under error control, or as the waves allow."""
        if self.control == "courant":
            scheme = cast(Courant, self.scheme)
            return courant.advance(scheme, self.method, self.plan.stepping.cap, state, until, budget, ready)
        return adaptive.advance(
            self.scheme, self.method, self.tolerance, self.bound, state, until, budget, ready
        )

    def step(self, state: State, params: Parameters) -> State:
        """One step: of the plan's size, or of the size that the error control takes."""
        ready = self.prepare(params)
        if self.control == "mesh":
            return self._next(state, ready)
        span = jnp.asarray(self.plan.frames[-1] - self.plan.frames[0], state.t.dtype)
        if self.control in STEPWISE:
            one = jnp.ones((), "int32")
            after, tally = self.advance(state, state.t + span, one, ready)
            return after._replace(y=poisoned(after.y, tally.stuck))
        if self.control == "fixed":
            h = jnp.asarray(self.plan.stepping.dt, state.t.dtype)
        else:
            frame = span / max(len(self.plan.frames) - 1, 1)
            h = checked.choose(self.scheme, self.method, self.tolerance, self.bound, state, frame, ready)
        carry = self.scheme.embed(state.t, state.y, ready)
        memory = self.method.start(state.t, carry, ready)
        done = self.method.step(state.t, carry, memory, h, self.method.aid(h, ready), ready)
        return State(state.t + h, self.scheme.core(done.carry), h)

    def _next(self, state: State, ready: Parameters) -> State:
        """The step of the mesh that begins nearest to the state's time."""
        steps, first = self._mesh(state)
        moved = self.follow(state.y, steps, first, first + 1, ready)
        h = steps.lengths[first]
        return State(self.plan.frames[0] + steps.begins[first] + h, moved.y, h)

    def _mesh(self, state: State) -> tuple[Steps, Array]:
        return steps_from(self.plan.stepping, self.plan.frames, self.plan.dtype, state.t)

    def frame(
        self, state: State, until: Array, count: Array, ready: Parameters
    ) -> tuple[State, dict[str, Array]]:
        """To the next output time: by `count` equal steps, or under error control."""
        if self.control == "fixed":
            h = (until - state.t) / count.astype(state.t.dtype)
            moved = self.march(state.t, state.y, h, count, self.aid(h, ready), ready)
            after = State(until, moved.y, h)
        elif self.control == "mesh":
            steps, first = self._mesh(state)
            # A step that begins there is none before it, whatever rounding made of the time.
            middles = steps.begins + steps.lengths / 2
            last = jnp.sum(middles < until - self.plan.frames[0]).astype("int32")
            moved = self.follow(state.y, steps, first, last, ready)
            after = State(until, moved.y, steps.lengths[last - 1])
        elif self.control in STEPWISE:
            after, tally = self.advance(state, until, jnp.asarray(FOREVER), ready)
            after = State(until, poisoned(after.y, tally.stuck), after.dt)
        else:
            after, tally = checked.advance(
                self.scheme, self.method, self.tolerance, self.bound, state, until, ready
            )
            after = State(until, poisoned(after.y, tally.stuck), after.dt)
        return after, self.scheme.fields(until, after.y, ready)

    def solve(
        self, params: Parameters, opening: Opening, start: float, times: Sequence[float]
    ) -> tuple[Array, dict[str, Array]]:
        """(times, fields stacked over them). Fixed steps are scans, others loops with checkpoints in reverse.

        `start` and `times` are static: they decide how many steps there are.
        """
        t, fields = self._solved(params, opening.state, start, times)
        return t, opened(fields, opening, start, times)

    def _solved(
        self, params: Parameters, state: State, start: float, times: Sequence[float]
    ) -> tuple[Array, dict[str, Array]]:
        ready = self.prepare(params)
        dtype = self.plan.dtype
        if self.control == "mesh":
            return jnp.asarray(times, dtype), self._remembered(state, ready, (start, *times))
        if self.control != "fixed":
            none = jnp.zeros((), "int32")
            return in_chosen_steps(lambda s, until: self.frame(s, until, none, ready), state, times, dtype)
        assert self.plan.stepping.dt is not None

        def to(y: Vector, a: Array, b: Array, count: int) -> tuple[Vector, dict[str, Array]]:
            if count:
                h = (b - a) / count
                y = checkpointed(self.scheme, self.method, a, y, h, count, ready, self.bundle, self.paired)
            return y, self.scheme.fields(b, y, ready)

        return in_equal_steps(to, state.y, start, times, self.plan.stepping.dt, dtype)

    def _remembered(self, state: State, ready: Parameters, times: Sequence[float]) -> dict[str, Array]:
        """Fields at all but the first of `times`, over the mesh that meets them."""
        scheme = cast(Remembering, self.scheme)
        begin, dtype = self.plan.frames[0], self.plan.dtype
        mesh = mesh_of(self.plan.stepping, self.plan.frames, times)
        y = scheme.with_room(state.y, mesh)
        several = jax.checkpoint(lambda y, steps, marked: self.several(y, steps, marked, ready))
        found = trajectory(several, piece_of(mesh), y, scheme.width, mesh, begin, dtype)

        def shown(at: tuple[Array, Vector]) -> dict[str, Array]:
            return scheme.inner.fields(at[0], at[1], ready)

        fields: dict[str, Array] = lax.map(shown, (jnp.asarray(times[1:], dtype), found))
        return fields
