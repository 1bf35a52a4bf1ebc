"""Where the points of a run lie: drawn evenly at first, then where the residual is large."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.losses import statement_values
from nablax.backends.residuals.sampling import sample
from nablax.backends.training.task import Task
from nablax.derivatives.statements import INSIDE, START

POOL = 10  # candidates for every point that is drawn by its residual
HELD_OUT = {INSIDE: 1024, START: 256, "boundary": 128}

Columns = dict[str, Array]
Drawn = dict[str, Columns]
Magnitudes = Callable[[PyTree, Columns, Array], Array]


def draw(task: Task, key: Array) -> Drawn:
    """Points of every place, spread as the sampler says; tables of measurements whole."""
    families = {place.split("/")[0] for place in task.places}  # without those that hold by construction
    counts = {name: count for name, count in task.training.counts if name in families}
    return _placed(sample(task.system.problem, task.places, key, counts, task.training.sampler.spread), task)


def held_out(task: Task, key: Array) -> Drawn:
    """Points that no step ever sees; measurements, which are all there are."""
    families = {place.split("/")[0] for place in task.places}
    counts = {name: count for name, count in HELD_OUT.items() if name in families}
    found = sample(task.system.problem, task.places, key, counts, task.training.sampler.spread)
    return _placed(found, task)


def redraw(task: Task, magnitudes: Magnitudes, batch: Drawn, free: PyTree, key: Array) -> Drawn:
    """New points for the equations, as the sampler says; without refinement for every place."""
    training, problem = task.training, task.system.problem
    sampler = training.sampler
    count = dict(training.counts)[INSIDE]
    spread, pick = jax.random.split(key)
    if sampler.refinement == "none":
        return draw(task, key)
    pool = sample(problem, (INSIDE,), spread, {INSIDE: POOL * count}, "uniform")[INSIDE]
    pool = cast_columns(pool, training.dtype)
    found = magnitudes(free, pool, pick)
    if sampler.refinement == "rad":
        chosen = _by_density(found, pick, count, sampler.power, sampler.floor)
        inside = {name: column[chosen] for name, column in pool.items()}
    else:
        worst = jnp.argsort(-found)[: round(sampler.share * count)]
        even = sample(problem, (INSIDE,), pick, {INSIDE: count - len(worst)}, sampler.spread)[INSIDE]
        inside = {
            name: jnp.concatenate([column[worst], even[name].astype(column.dtype)])
            for name, column in pool.items()
        }
    return _placed({**batch, INSIDE: inside}, task)


def _by_density(found: Array, key: Array, count: int, power: float, floor: float) -> Array:
    """RAD (Wu et al., CMAME 403, 2023): p ∝ |r|^k / mean |r|^k + c, without replacement."""
    powered = found**power
    density = powered / jnp.maximum(jnp.mean(powered), 1e-30) + floor
    noise = jax.random.gumbel(key, found.shape, found.dtype)
    return jax.lax.top_k(jnp.log(density) + noise, count)[1]


def magnitudes_of(task: Task) -> Magnitudes:
    """(free parameters, points, key) to the size [n] of what the equations leave there.

    Added up over equations; the mean over the members of an ensemble.
    """
    inside = {INSIDE: task.losses.places[INSIDE]}

    def one(free: PyTree, points: Columns, key: Array) -> Array:
        draw = key if task.sampled else None
        params = task.bounds.bounded(free)
        found = statement_values(task.field, inside, params, {INSIDE: points}, draw)
        total = jnp.zeros(())
        for _, values, shape in found.values():
            size = jnp.abs(values)
            total = total + (size if size.ndim == len(shape) else size.sum(axis=-1))
        return total

    def mean(free: PyTree, points: Columns, key: Array) -> Array:
        return jnp.mean(jax.vmap(one, (0, None, None))(free, points, key), axis=0)

    program: Magnitudes = jax.jit(mean if task.training.ensemble > 1 else one)
    return program


def _placed(batch: Mapping[str, Mapping[str, Array]], task: Task) -> Drawn:
    """In the precision of the run, and spread over the devices of this machine where they divide evenly."""
    found = {place: cast_columns(columns, task.training.dtype) for place, columns in batch.items()}
    devices = jax.local_devices()
    if len(devices) < 2:
        return found
    mesh = Mesh(devices, ("points",))
    spread: Drawn = jax.tree.map(lambda a: jax.device_put(a, _sharding(mesh, len(a))), found)
    return spread


def _sharding(mesh: Mesh, points: int) -> NamedSharding:
    names = ("points",) if points % mesh.size == 0 else ()
    return NamedSharding(mesh, PartitionSpec(*names))  # type: ignore[no-untyped-call]


def cast_columns(columns: Mapping[str, Array], dtype: str) -> Columns:
    return {name: jnp.asarray(column, dtype) for name, column in columns.items()}
