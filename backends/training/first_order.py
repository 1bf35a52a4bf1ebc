"""Adam and SOAP with schedules, on all points or on a batch of them."""

import jax
import jax.numpy as jnp
import optax
from jax import Array

from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.losses import Batch
from nablax.backends.training.balance import climb
from nablax.backends.training.optimisers import Factors, Optimiser, usual_promotion
from nablax.backends.training.soap import scale_by_soap
from nablax.backends.training.task import Task
from nablax.derivatives.statements import INSIDE
from nablax.training.records import Phase


def first_order(task: Task, phase: Phase) -> Optimiser:
    """Adam (Kingma & Ba, 2015) or SOAP (Vyas et al., 2024) on the weighted sum of the losses."""
    scaling = optax.scale_by_adam() if phase.optimiser == "adam" else scale_by_soap()
    rule = optax.chain(scaling, optax.scale_by_learning_rate(schedule(phase)))
    size = task.training.batch

    weighting = task.training.weighting
    climbing = task.places if weighting.balance == "selfadaptive" else ()

    def total(free: PyTree, weights: Factors, batch: Batch, pick: Array, draw: Array) -> Array:
        if size is not None:
            batch, weights = thinned(batch, weights, pick, size)
        key = draw if task.sampled else None
        return sum_of(task.losses(task.bounds.bounded(free), batch, key, weights))

    def step(
        free: PyTree, state: PyTree, weights: Factors, batch: Batch, key: Array
    ) -> tuple[PyTree, PyTree, Factors]:
        pick, draw = jax.random.split(key)
        slope, upwards = jax.grad(total, argnums=(0, 1))(free, weights, batch, pick, draw)
        with usual_promotion():
            updates, state = rule.update(slope, state, free)
            moved = optax.apply_updates(free, updates)
        rising = {place: upwards[place] for place in climbing if place in weights}
        return moved, state, climb(rising, weights, weighting.rate)

    return Optimiser(rule.init, step)


def schedule(phase: Phase) -> optax.Schedule:
    """The learning rate by step of the phase."""
    match phase.schedule:
        case "constant":
            main = optax.constant_schedule(phase.rate)
        case "cosine":
            main = optax.cosine_decay_schedule(phase.rate, max(phase.steps - phase.warmup, 1), 0.01)
        case "exponential":
            main = optax.exponential_decay(phase.rate, phase.every, phase.decay)
    if not phase.warmup:
        return main
    return optax.join_schedules([optax.linear_schedule(0.0, phase.rate, phase.warmup), main], [phase.warmup])


def sum_of(terms: dict[str, Array]) -> Array:
    return jnp.sum(jnp.stack(list(terms.values())))


def thinned(batch: Batch, weights: Factors, key: Array, size: int) -> tuple[Batch, Factors]:
    """`size` of the points of the equations, drawn with replacement, with their weights."""
    points = batch[INSIDE]
    assert isinstance(points, dict)
    count = len(next(iter(points.values())))
    rows = jax.random.randint(key, (size,), 0, count)
    thin = {**batch, INSIDE: {name: column[rows] for name, column in points.items()}}
    own = weights.get(INSIDE)
    if own is None or not jnp.ndim(own):
        return thin, weights
    return thin, {**weights, INSIDE: jnp.asarray(own)[rows]}
