"""The host loop: chunks of steps under jit, new points and weights between them, one event a chunk.

What happens at a step depends on the state and the number of the step alone, never on the clock or on where
chunks begin: a run that goes on from a checkpoint makes the numbers of one that was never stopped.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.residuals.field import PyTree
from nablax.backends.training.balance import (
    Update,
    after_redraw,
    causal_of,
    fixed_factors,
    initial_weights,
    update_of,
)
from nablax.backends.training.methods import optimiser_of
from nablax.backends.training.optimisers import Factors, Optimiser
from nablax.backends.training.points import Drawn, Magnitudes, draw, held_out, magnitudes_of, redraw
from nablax.backends.training.task import Task
from nablax.derivatives.statements import INSIDE
from nablax.training.records import Phase

CHUNK = {"adam": 100, "soap": 50, "lbfgs": 10, "lm": 5}
"""Steps between two events: a second or two of work."""


class State(NamedTuple):
    """All that a run goes on from, as arrays. `params` are free of bounds; `key` is raw key data."""

    params: PyTree
    optimiser: PyTree
    weights: Factors
    batch: Drawn
    key: Array


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run is: the window under way, its steps done, in all and of the phase under way, the steps of
    the windows before it, and the seconds that all of them took."""

    step: int
    phase: int
    within: int
    seconds: float
    window: int = 0
    before: int = 0

    @property
    def total(self) -> int:
        return self.before + self.step


@dataclass(frozen=True, slots=True)
class Event:
    """After a chunk: the losses by name on the training points, unweighted; on points never trained on the
    root mean square of the residual, and the sum of all losses with the factors that the spec gives them
    (`unseen`; None where residuals are drawn at random). Means over the members of an ensemble."""

    position: Position
    optimiser: str
    losses: Mapping[str, float]
    held: float
    unseen: float | None
    state: State
    boundary: bool  # a checkpoint is due

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.held)) and all(np.isfinite(v) for v in self.losses.values())


Chunk = Callable[[State, Array, Array], State]
Moved = tuple[PyTree, PyTree, Factors]
"""What a step moves: parameters, the optimiser's state, weights."""
Losses = Callable[[PyTree, Drawn, Array], dict[str, Array]]


@dataclass(frozen=True, slots=True)
class Programs:
    """What a run compiles once: the chunk of every phase, and what it watches."""

    optimisers: tuple[Optimiser, ...]
    chunks: tuple[Chunk, ...]
    magnitudes: Magnitudes
    losses: Losses
    update: Update | None
    causal: Update | None


def programs_of(task: Task) -> Programs:
    optimisers = tuple(optimiser_of(task, phase) for phase in task.training.phases)
    return Programs(
        optimisers,
        tuple(_chunk(task, o) for o in optimisers),
        magnitudes_of(task),
        _losses(task),
        update_of(task),
        causal_of(task),
    )


def begin(task: Task, programs: Programs) -> tuple[State, Position]:
    """The state before the first step of a window; the seed and the windows before decide all of it."""
    key = task.key
    params = task.start(jax.random.fold_in(key, 0))
    batch = draw(task, jax.random.fold_in(key, 1))
    start = State(
        params, _init(task, programs.optimisers[0], params), initial_weights(task, batch), batch,
        jax.random.key_data(jax.random.fold_in(key, 2)),
    )  # fmt: skip
    return start, Position(0, 0, 0, 0.0)


def start_of(task: Task, programs: Programs, state: State, phase: int) -> State:
    """The state with the optimiser of a phase as it begins."""
    return state._replace(optimiser=_init(task, programs.optimisers[phase], state.params))


def run(task: Task, programs: Programs, state: State, position: Position) -> Iterator[Event]:
    """Chunk after chunk from a state to the end of the window's last phase; nothing else ends it."""
    training = task.training
    points = held_out(task, jax.random.fold_in(task.key, 3))
    started = perf_counter() - position.seconds
    step, phase, within = position.step, position.phase, position.within
    while phase < len(training.phases):
        current = training.phases[phase]
        if within >= current.steps:
            phase, within = phase + 1, 0
            if phase < len(training.phases):
                state = start_of(task, programs, state, phase)
            continue
        state = _between(task, programs, state, step)
        count = _chunk_length(task, current, step, within)
        state = programs.chunks[phase](state, jnp.asarray(step, jnp.int32), jnp.asarray(count, jnp.int32))
        step, within = step + count, within + count
        own = jax.random.fold_in(jax.random.wrap_key_data(state.key), step)
        losses = {k: float(v) for k, v in programs.losses(state.params, state.batch, own).items()}
        held, unseen = _unseen(task, programs, state.params, points, own)
        yield Event(
            replace(position, step=step, phase=phase, within=within, seconds=perf_counter() - started),
            current.optimiser,
            losses,
            held,
            unseen,
            state,
            step % training.checkpoint == 0,
        )


def _unseen(
    task: Task, programs: Programs, params: PyTree, points: Drawn, key: Array
) -> tuple[float, float | None]:
    """(root mean square of the residual, sum of all losses) on points held out."""
    if task.sampled:
        sizes = programs.magnitudes(params, points[INSIDE], key)
        return float(jnp.sqrt(jnp.mean(sizes**2))), None
    found = {name: float(v) for name, v in programs.losses(params, points, key).items()}
    residual = sum(v for name, v in found.items() if name.startswith(f"{INSIDE}/"))
    factors = fixed_factors(task)
    return residual**0.5, sum(factors[name] * v for name, v in found.items())


def _between(task: Task, programs: Programs, state: State, step: int) -> State:
    """New points and weights where they are due before a step."""
    key = jax.random.fold_in(jax.random.wrap_key_data(state.key), step)
    sampler, weighting = task.training.sampler, task.training.weighting
    redrawn = sampler.every and step and step % sampler.every == 0
    if redrawn:
        batch = redraw(task, programs.magnitudes, state.batch, state.params, jax.random.fold_in(key, 1))
        state = state._replace(batch=batch, weights=after_redraw(task, state.weights, batch))
    due = step % weighting.every == 0
    # Weights of times belong to the points that they were made for.
    for update, now in ((programs.update, due), (programs.causal, due or redrawn)):
        if update is not None and now:
            own = jax.random.fold_in(key, 2)
            keys = own if task.training.ensemble == 1 else jax.random.split(own, task.training.ensemble)
            state = state._replace(weights=update(state.params, state.weights, state.batch, keys))
    return state


def _chunk_length(task: Task, phase: Phase, step: int, within: int) -> int:
    """Steps up to the next thing that happens between steps."""
    training = task.training
    ends = [CHUNK[phase.optimiser], phase.steps - within]
    balanced = training.weighting.balance in ("gradnorm", "ntk") or training.weighting.causal > 0
    for every in (training.sampler.every, training.checkpoint, training.weighting.every if balanced else 0):
        if every:
            ends.append(every - step % every)
    return min(ends)


def _init(task: Task, optimiser: Optimiser, params: PyTree) -> PyTree:
    return jax.vmap(optimiser.init)(params) if task.training.ensemble > 1 else optimiser.init(params)


def _chunk(task: Task, optimiser: Optimiser) -> Chunk:
    """(state, number of the first step, how many) to the state after them: one program whatever the count."""
    members = task.training.ensemble

    def taken(start: Moved, batch: Drawn, data: Array, first: Array, count: Array, member: Array) -> Moved:
        base = jax.random.wrap_key_data(data)

        def body(i: Array, carry: Moved) -> Moved:
            key = jax.random.fold_in(jax.random.fold_in(base, 0), first + i)
            own = key if members == 1 else jax.random.split(key, members)[member]
            return optimiser.step(*carry, batch, own)

        found: Moved = jax.lax.fori_loop(0, count, body, start)
        return found

    steps = _each(taken, members)

    def chunk(state: State, first: Array, count: Array) -> State:
        moved = steps((state.params, state.optimiser, state.weights), state.batch, state.key, first, count)
        return State(*moved, state.batch, state.key)

    return chunk


Taken = Callable[[Moved, Drawn, Array, Array, Array, Array], Moved]
Steps = Callable[[Moved, Drawn, Array, Array, Array], Moved]


def _each(taken: Taken, members: int) -> Steps:
    """The steps of every member: at once where arithmetic units wait for work, and one member after the other
    on a CPU, by the program of a single one: the arrays of all together leave its caches."""
    if members > 1 and jax.default_backend() != "cpu":
        every = jnp.arange(members)
        whole = jax.vmap(taken, (0, None, None, None, None, 0))

        def together(start: Moved, batch: Drawn, data: Array, first: Array, count: Array) -> Moved:
            found: Moved = whole(start, batch, data, first, count, every)
            return found

        steps: Steps = jax.jit(together)
        return steps
    program = jax.jit(taken)
    numbers = [jnp.asarray(i, jnp.int32) for i in range(members)]
    if members == 1:
        return lambda *a: program(*a, numbers[0])

    @jax.jit
    def apart(start: Moved) -> list[Moved]:
        def member(i: int) -> Moved:
            own: Moved = jax.tree.map(lambda leaf: leaf[i], start)
            return own

        return [member(i) for i in range(members)]

    @jax.jit
    def joined(found: list[Moved]) -> Moved:
        first, *others = found
        whole: Moved = jax.tree.map(lambda *leaves: jnp.stack(leaves), first, *others)
        return whole

    def in_turn(start: Moved, batch: Drawn, data: Array, first: Array, count: Array) -> Moved:
        each = zip(apart(start), numbers, strict=True)
        found: Moved = joined([program(own, batch, data, first, count, n) for own, n in each])
        return found

    return in_turn


def _losses(task: Task) -> Losses:
    def one(params: PyTree, batch: Drawn, key: Array) -> dict[str, Array]:
        return task.losses(task.bounds.bounded(params), batch, key if task.sampled else None)

    def mean(params: PyTree, batch: Drawn, key: Array) -> dict[str, Array]:
        found = jax.vmap(one, (0, None, None))(params, batch, key)
        return {name: jnp.mean(values) for name, values in found.items()}

    program: Losses = jax.jit(mean if task.training.ensemble > 1 else one)
    return program
