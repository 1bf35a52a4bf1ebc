"""The programs of an artifact: flat functions of a solver, exported as StableHLO for several platforms.

Each takes and returns tuples and dictionaries of arrays only. What is a pytree with structure of its own
in the solver (prepared parameters, a method's coefficients) travels as the tuple of its leaves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.artifact.pace import pace
from nablax.backends.interface import Parameters, State, Vector
from nablax.backends.loop import mesh_steps
from nablax.backends.lowering import evaluate
from nablax.backends.memory.march import Steps, piece_of
from nablax.backends.nodes import initial_values, known, samples
from nablax.backends.precision import precise
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.backends.stepping import checked
from nablax.backends.stepping.control import STEPWISE
from nablax.backends.stepping.fixed import checkpointed, step_count
from nablax.planning.meshes import mesh_of

MOST_COUNTS = 4
"""Different numbers of steps between frames that get a differentiable program of their own."""

Leaves = tuple[Array, ...]
Flat = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Exportable:
    """A flat function with examples of its arguments. `differentiable`: exported with its derivative."""

    name: str
    function: Flat
    arguments: tuple[object, ...]
    differentiable: bool = False


def exportables(solver: Solver | SteadySolver) -> tuple[Exportable, ...]:
    """Every program that an artifact of this solver holds.

    `initial(params, drawn, fields, chosen)`, `prepare(params)`, `show(t, y, ready)` and `rate(t, y, params)`
    make up the interface; `given(params, drawn)`, where the state holds less than the initial data, are
    these; `pace(t, y, params)` measures the rate; `steps/<count>(t, h, y, ready)` advance by
    a fixed number of steps, `advance` and `frame` by chosen ones, and all three can be differentiated; `aid`,
    `march` and `judge` are those of the loops. Where derivatives remember the past, `steps/<count>(y, begins,
    lengths, marked, ready)` takes the marked ones of so many steps, and `follow` is the loop's. A steady
    solver has `rest(params, drawn, fields, chosen)`. `params` holds coefficients on the grid, too, and
    `coefficients(params)` makes those that are not given of the parameters.
    """
    with precise(solver.plan.dtype):
        found = _of_steady(solver) if isinstance(solver, SteadySolver) else _exportables(solver)
        return (*found, *_derived(solver), *_coefficients(solver))


def _exportables(solver: Solver) -> list[Exportable]:
    plan, programs, outline = solver.plan, solver.programs, solver.outline
    scalar, count = np.zeros((), plan.dtype), np.zeros((), "int32")
    params = _arguments(solver)
    drawn = samples(plan)
    kinds = {u.name: _kind(plan.dtype, u.complex) for u in outline.evolving}
    fields = {name: np.zeros(plan.shape, kind) for name, kind in kinds.items()}
    chosen = {name: np.zeros((), bool) for name in kinds}
    system = plan.system
    evolving = {u.name: i for i, u in enumerate(system.unknowns) if not u.algebraic}

    def initial(
        params: Parameters,
        drawn: Mapping[str, Array],
        fields: Mapping[str, Array],
        chosen: Mapping[str, Array],
    ) -> tuple[Array, Vector, Array]:
        given = {}
        # The fields that finite volumes start from are averages: their state itself.
        averages = programs.initial(params, {}, drawn).y if plan.method == "fv" else ()
        for name, i in evolving.items():
            values = fields[name]
            if system.initial[i] is not None:
                data = averages[i] if averages else initial_values(plan, i, params, drawn)
                data = data if jnp.iscomplexobj(values) else jnp.real(data)
                data = jnp.broadcast_to(data.astype(values.dtype), values.shape)
                values = jnp.where(chosen[name], values, data)
            given[name] = values
        state = programs.initial(params, given, drawn)
        return state.t, state.y, state.dt

    def given(params: Parameters, drawn: Mapping[str, Array]) -> dict[str, Array]:
        return programs.start(params, {}, drawn).given

    t, y, dt = jax.eval_shape(initial, params, drawn, fields, chosen)
    ready = jax.eval_shape(programs.prepare, params)
    ready_leaves, ready_tree = jax.tree.flatten(ready)
    aid_leaves, aid_tree = jax.tree.flatten(jax.eval_shape(programs.aid, scalar, ready))

    def prepared(leaves: Leaves) -> Parameters:
        found: Parameters = jax.tree.unflatten(ready_tree, leaves)
        return found

    def prepare(params: Parameters) -> Leaves:
        return tuple(jax.tree.leaves(programs.prepare(params)))

    def show(t: Array, y: Vector, ready: Leaves) -> dict[str, Array]:
        return programs.fields(t, y, prepared(ready))

    def aid(h: Array, ready: Leaves) -> Leaves:
        return tuple(jax.tree.leaves(programs.aid(h, prepared(ready))))

    def march(t: Array, y: Vector, h: Array, count: Array, aid: Leaves, ready: Leaves) -> tuple[object, ...]:
        return tuple(programs.march(t, y, h, count, jax.tree.unflatten(aid_tree, aid), prepared(ready)))

    def advance(t: Array, y: Vector, dt: Array, until: Array, budget: Array, ready: Leaves) -> object:
        after, tally = programs.advance(State(t, y, dt), until, budget, prepared(ready))
        return tuple(after), tuple(tally)

    def paced(t: Array, y: Vector, params: Parameters) -> tuple[Array, Array]:
        return pace(lambda v: programs.rate(t, v, params), y)

    held = tuple(ready_leaves)
    found = [
        Exportable("initial", initial, (params, drawn, fields, chosen), True),
        Exportable("prepare", prepare, (params,), True),
        Exportable("show", show, (t, y, held), True),
    ]
    if jax.eval_shape(given, params, drawn):
        found.append(Exportable("given", given, (params, drawn), True))
    if system.has_memory:
        return [*found, *_meshed(solver, y, held, prepared)]
    if not system.constraints:
        found.append(Exportable("rate", programs.rate, (scalar, y, params), True))
        found.append(Exportable("pace", paced, (scalar, y, params)))
    if programs.control in STEPWISE:
        return [*found, Exportable("advance", advance, (t, y, dt, scalar, count, held), True)]
    aids = tuple(aid_leaves)
    found += [
        Exportable("aid", aid, (scalar, held)),
        Exportable("march", march, (t, y, scalar, count, aids, held)),
    ]
    if programs.control == "fixed":
        return [*found, *(_steps(solver, n, (t, scalar, y, held), prepared) for n in counts(solver))]

    def frame(t: Array, y: Vector, dt: Array, until: Array, ready: Leaves) -> object:
        after, _ = programs.frame(State(t, y, dt), until, jnp.zeros((), "int32"), prepared(ready))
        return tuple(after)

    def choose(t: Array, y: Vector, dt: Array, span: Array, ready: Leaves) -> Array:
        known = prepared(ready)
        bound = programs.bound
        state = State(t, y, dt)
        return checked.choose(programs.scheme, programs.method, programs.tolerance, bound, state, span, known)

    return [
        *found,
        Exportable("judge", programs.judge, (y, y, y, scalar, scalar)),
        Exportable("choose", choose, (t, y, dt, scalar, held)),
        Exportable("frame", frame, (t, y, dt, scalar, held), True),
    ]


def _meshed(
    solver: Solver, y: Vector, held: Leaves, prepared: Callable[[Leaves], Parameters]
) -> list[Exportable]:
    """Steps whose times are known: those of the loop, and a piece of them that can be differentiated."""
    p, dtype = solver.programs, solver.plan.dtype

    def follow(
        y: Vector, begins: Array, lengths: Array, first: Array, last: Array, ready: Leaves
    ) -> tuple[object, ...]:
        return tuple(p.follow(y, Steps(begins, lengths), first, last, prepared(ready)))

    def several(y: Vector, begins: Array, lengths: Array, marked: Array, ready: Leaves) -> Vector:
        return p.several(y, Steps(begins, lengths), marked, prepared(ready))

    chunk, count = np.zeros(mesh_steps(solver.outline), dtype), np.zeros((), "int32")
    (size,) = counts(solver)
    piece, marked = np.zeros(size, dtype), np.zeros(size, bool)
    return [
        Exportable("follow", follow, (y, chunk, chunk, count, count, held)),
        Exportable(f"steps/{size}", several, (y, piece, piece, marked, held), True),
    ]


def counts(solver: Solver) -> tuple[int, ...]:
    """For how many steps there is a differentiable program: those between frames, and one; of steps known
    beforehand, those of a piece."""
    dt, frames = solver.plan.stepping.dt, solver.plan.frames
    if solver.programs.control == "mesh":
        return (piece_of(mesh_of(solver.plan.stepping, frames)),)
    if solver.programs.control != "fixed" or dt is None:
        return ()
    between = {step_count(b - a, dt) for a, b in pairwise(frames)}
    return tuple(sorted({1, *sorted(between, reverse=True)[:MOST_COUNTS]}))


def _steps(
    solver: Solver, count: int, arguments: tuple[object, ...], prepared: Callable[[Leaves], Parameters]
) -> Exportable:
    p = solver.programs

    def steps(t: Array, h: Array, y: Vector, ready: Leaves) -> Vector:
        known = prepared(ready)
        after: Vector = checkpointed(p.scheme, p.method, t, y, h, count, known, p.bundle, p.paired)
        return after

    return Exportable(f"steps/{count}", steps, arguments, True)


def _of_steady(solver: SteadySolver) -> list[Exportable]:
    plan = solver.plan
    unknowns = plan.system.unknowns
    kinds = {u.name: _kind(plan.dtype, u.complex) for u in unknowns}
    fields = {name: np.zeros(plan.shape, kind) for name, kind in kinds.items()}

    def rest(
        params: Parameters,
        drawn: Mapping[str, Array],
        fields: Mapping[str, Array],
        chosen: Mapping[str, Array],
    ) -> tuple[object, ...]:
        given = {}
        for i, unknown in enumerate(unknowns):
            values = fields[unknown.name]
            guess = jnp.zeros_like(values)
            if plan.system.initial[i] is not None:
                data = initial_values(plan, i, params, drawn)
                data = data if jnp.iscomplexobj(values) else jnp.real(data)
                guess = jnp.broadcast_to(data.astype(values.dtype), values.shape)
            given[unknown.name] = jnp.where(chosen[unknown.name], values, guess)
        return tuple(solver.scheme.solve(params, given))

    params = _arguments(solver)
    chosen = {name: np.zeros((), bool) for name in kinds}
    return [Exportable("rest", rest, (params, samples(plan), fields, chosen), True)]


def _derived(solver: Solver | SteadySolver) -> tuple[Exportable, ...]:
    """Parameters that follow from others, unless they are among the chosen; nothing where none do."""
    parameters = solver.plan.system.parameters
    if not any(p.formula is not None for p in parameters):
        return ()

    def derive(params: Parameters, chosen: Mapping[str, Array]) -> Parameters:
        found = dict(params)
        for p in parameters:
            if p.formula is not None:
                values = {q.symbol: found[q.name] for q in parameters}
                (value,) = evaluate((p.formula,), values)
                typed = jnp.asarray(value, params[p.name].dtype)
                found[p.name] = jnp.where(chosen[p.name], params[p.name], typed)
        return found

    params = dict.fromkeys(solver.parameters, np.zeros((), solver.plan.dtype))
    chosen = {name: np.zeros((), bool) for name in params}
    return (Exportable("derive", derive, (params, chosen), True),)


def _coefficients(solver: Solver | SteadySolver) -> tuple[Exportable, ...]:
    """The values of coefficients on the grid by their definition; nothing where there are none."""
    plan = solver.plan
    if not plan.arrays:
        return ()

    def coefficients(params: Parameters) -> dict[str, Array]:
        values = known(plan, params)
        return {data.name: jnp.asarray(values[data], plan.dtype) for data in plan.arrays}

    params = dict.fromkeys(solver.parameters, np.zeros((), plan.dtype))
    return (Exportable("coefficients", coefficients, (params,), True),)


def _arguments(solver: Solver | SteadySolver) -> dict[str, np.ndarray]:
    """Every parameter and every coefficient on the grid."""
    plan = solver.plan
    scalars = dict.fromkeys(solver.parameters, np.zeros((), plan.dtype))
    return scalars | {data.name: np.zeros(data.shape, plan.dtype) for data in plan.arrays}


def _kind(dtype: str, is_complex: bool) -> str:
    if not is_complex:
        return dtype
    return "complex64" if dtype == "float32" else "complex128"
