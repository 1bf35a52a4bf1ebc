"""Factors of the terms of the loss while it is trained: fixed factors times those of a balance.

The state is a pytree: factors of statements by name, and weights of points by place. It changes between
steps only, but for self-adaptive weights, which climb within them.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree

from nablax.backends.residuals.field import PyTree
from nablax.backends.residuals.losses import statement_values
from nablax.backends.training.optimisers import Factors
from nablax.backends.training.points import Columns, Drawn
from nablax.backends.training.task import Task
from nablax.derivatives.statements import INSIDE

Update: TypeAlias = Callable[[PyTree, Factors, Drawn, Array], Factors]
MEMORY = 0.9  # of factors from one update to the next (Wang, Teng & Perdikaris, SISC 43, 2021)
PROBES = 4


def initial_weights(task: Task, batch: Drawn) -> Factors:
    """Factors of statements, and ones for the points that self-adaptive or causal weights speak of."""
    dtype = task.training.dtype
    weighting = task.training.weighting
    found = {name: jnp.asarray(factor, dtype) for name, factor in fixed_factors(task).items()}
    pointwise = task.places if weighting.balance == "selfadaptive" else ()
    if weighting.causal:
        pointwise = tuple(dict.fromkeys((*pointwise, INSIDE)))
    for place in pointwise:
        if place in batch:
            count = len(next(iter(batch[place].values())))
            found[place] = found.get(place, jnp.ones((), dtype)) * jnp.ones(count, dtype)
    members = task.training.ensemble
    if members == 1:
        return found
    return {name: jnp.broadcast_to(w, (members, *w.shape)) for name, w in found.items()}


def after_redraw(task: Task, weights: Factors, batch: Drawn) -> Factors:
    """Weights of points that are no more: new points get the mean of the old ones."""
    found = dict(weights)
    for place, columns in batch.items():
        own = weights.get(place)
        if own is not None and own.ndim > (task.training.ensemble > 1):
            count = len(next(iter(columns.values())))
            found[place] = jnp.broadcast_to(jnp.mean(own, axis=-1, keepdims=True), (*own.shape[:-1], count))
    return found


def fixed_factors(task: Task) -> dict[str, float]:
    """The factor of every statement: those of its family, of its place and of its own, multiplied."""
    given = dict(task.training.weighting.fixed)
    found: dict[str, float] = {}
    for place, evaluation in task.losses.places.items():
        for statement in evaluation.needs.statements:
            factor = 1.0
            for name in dict.fromkeys((place.split("/")[0], place, statement.name)):
                factor *= given.get(name, 1.0)
            found[statement.name] = factor
    return found


def update_of(task: Task) -> Update | None:
    """(free parameters, weights, points, key) to the next factors of statements; None where they stay."""
    measure = {"gradnorm": _slopes, "ntk": _traces}.get(task.training.weighting.balance)
    if measure is None:
        return None
    fixed = fixed_factors(task)

    def update(free: PyTree, weights: Factors, batch: Drawn, key: Array) -> Factors:
        found = dict(weights)
        sizes = measure(task, free, batch, key)
        live = [jnp.where(jnp.isfinite(s), s, 0.0) for s in sizes.values()]
        total = jnp.sum(jnp.stack(live))
        for name, size in sizes.items():
            wanted = fixed[name] * total / (len(sizes) * jnp.maximum(size, 1e-12 * total + 1e-30))
            moved = MEMORY * weights[name] + (1 - MEMORY) * wanted
            found[name] = jnp.where(jnp.isfinite(moved), moved, weights[name])
        return found

    return _compiled(task, update)


def causal_of(task: Task) -> Update | None:
    """The same to weights of points by what is left at earlier times; None without such weights."""
    if not task.training.weighting.causal:
        return None

    def update(free: PyTree, weights: Factors, batch: Drawn, key: Array) -> Factors:
        return {**weights, INSIDE: causal(task, free, batch[INSIDE], key)}

    return _compiled(task, update)


def _compiled(task: Task, update: Update) -> Update:
    many = jax.vmap(update, (0, 0, None, 0)) if task.training.ensemble > 1 else update
    program: Update = jax.jit(many)
    return program


def _slopes(task: Task, free: PyTree, batch: Drawn, key: Array) -> dict[str, Array]:
    """‖∇L‖ of every term (Wang, Sankaran, Wang & Perdikaris, arXiv:2308.08468, section 5)."""
    draw = key if task.sampled else None
    slopes = jax.jacrev(lambda f: task.losses(task.bounds.bounded(f), batch, draw, None))(free)
    return {name: jnp.linalg.norm(ravel_pytree(slope)[0]) for name, slope in slopes.items()}


def _traces(task: Task, free: PyTree, batch: Drawn, key: Array) -> dict[str, Array]:
    """tr(J Jᵀ)/n of every term: the neural tangent kernel's (Wang, Yu & Perdikaris, JCP 449, 2022).

    By random signs: E ‖Jᵀ s‖² is the trace.
    """
    flat, unravel = ravel_pytree(free)

    def values(moved: Array) -> dict[str, Array]:
        params = task.bounds.bounded(unravel(moved))
        found = statement_values(task.field, task.losses.places, params, batch, None)
        return {name: jnp.abs(r) if jnp.iscomplexobj(r) else r for name, (_, r, _) in found.items()}

    residuals, pull = jax.vjp(values, flat)

    def probe(one: Array) -> dict[str, Array]:
        found = {}
        for i, (name, r) in enumerate(residuals.items()):
            signs = jax.random.rademacher(jax.random.fold_in(one, i), r.shape, r.dtype)
            zeros = {other: jnp.zeros_like(v) for other, v in residuals.items()}
            (slope,) = pull({**zeros, name: signs})
            found[name] = slope @ slope / r.size
        return found

    traces = jax.vmap(probe)(jax.random.split(key, PROBES))
    return {name: jnp.mean(t) for name, t in traces.items()}


def causal(task: Task, free: PyTree, points: Columns, key: Array) -> Array:
    """exp(-ε Σ loss of earlier slabs) at every point (Wang, Sankaran & Perdikaris, CMAME 421, 2024)."""
    weighting, time = task.training.weighting, task.system.time
    assert time is not None
    inside = {INSIDE: task.losses.places[INSIDE]}
    draw = key if task.sampled else None
    found = statement_values(task.field, inside, task.bounds.bounded(free), {INSIDE: points}, draw)
    squares = jnp.zeros(())
    for _, values, shape in found.values():
        square = jnp.abs(values) ** 2
        squares = squares + (square if square.ndim == len(shape) else square.sum(axis=-1))
    t = points[time.name]
    low, high = jnp.min(t), jnp.max(t)
    slab = jnp.clip((weighting.slabs * (t - low) / (high - low)).astype(jnp.int32), 0, weighting.slabs - 1)
    sums = jnp.zeros(weighting.slabs, t.dtype).at[slab].add(squares)
    counts = jnp.zeros(weighting.slabs, t.dtype).at[slab].add(1.0)
    losses = sums / jnp.maximum(counts, 1.0)
    earlier = jnp.cumsum(losses) - losses
    return jnp.exp(-weighting.causal * earlier)[slab]


def climb(slopes: Mapping[str, Array], weights: Factors, rate: float) -> Factors:
    """Self-adaptive weights go up the gradient of the loss (McClenny & Braga-Neto, JCP 474, 2023).

    The gradient is scaled by its largest entry: `rate` is the most that a weight grows in a step.
    """
    found = dict(weights)
    for place, slope in slopes.items():
        found[place] = weights[place] + rate * slope / jnp.maximum(jnp.max(jnp.abs(slope)), 1e-30)
    return found
