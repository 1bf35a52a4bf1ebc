"""Update rules of fractional order as optax transformations: chain them with a learning rate.

optax.chain(scale_by_distance(0.9), optax.scale(-1e-3))
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from nablax.backends.fractional_gradients.powers import positive_power


class DistanceState(NamedTuple):
    previous: optax.Params


def scale_by_distance(order: float, floor: float = 1e-8) -> optax.GradientTransformation:
    """g (|w_t - w_{t-1}| + floor)^(1-α) / Γ(2-α): the leading term of the Caputo derivative of the loss from
    the iterate before (J. Wang, Y. Wen, Y. Gou, Z. Ye, H. Chen, Neural Networks 89 (2017) 19).

    The first step, which has no iterate before it, is the ordinary one. 0 < α < 2; α = 1 changes nothing.
    Orders above 1, which divide by the distance, are those of GF-SGD (Z. Khan and others, Heliyon 10 (2024)
    e39037, eq. 9, who take α = 1.5 and a floor of 1e-8). Raises ValueError for another order.
    """
    if not 0 < order < 2:
        raise ValueError(f"the order is above 0 and below 2, and this one is {order}")
    weight = 1 / math.gamma(2 - order)

    def init(params: optax.Params) -> tuple[DistanceState, Array]:
        return DistanceState(params), jnp.zeros((), bool)

    def update(
        updates: optax.Updates, state: tuple[DistanceState, Array], params: optax.Params | None = None
    ) -> tuple[optax.Updates, tuple[DistanceState, Array]]:
        if params is None:
            raise ValueError("`scale_by_distance` needs the parameters: update(updates, state, params)")
        before, started = state

        def scaled(g: Array, w: Array, last: Array) -> Array:
            moved = positive_power(jnp.abs(w - last) + floor, 1 - order) * weight
            return jnp.where(started, moved.astype(g.dtype), jnp.ones_like(g)) * g

        new = jax.tree.map(scaled, updates, params, before.previous)
        return new, (DistanceState(params), jnp.ones((), bool))

    return optax.GradientTransformation(init, update)


def scale_by_weight(order: float, decay: float = 0.0, floor: float = 1e-8) -> optax.GradientTransformation:
    """g (|w| + floor)^(1-α) / Γ(2-α) + decay sgn(w) |w|^(2-α) / Γ(3-α): the leading term of the Caputo
    derivative of the loss from 0, and that of ½ decay w² (C. Bao, Y. Pu, Y. Zhang, Comput. Intell. Neurosci.
    2018, 7361628).

    0 < α < 2; α = 1 is the ordinary gradient with weight decay. Raises ValueError for another order.
    """
    if not 0 < order < 2:
        raise ValueError(f"the order is above 0 and below 2, and this one is {order}")
    slope, shrinking = 1 / math.gamma(2 - order), decay / math.gamma(3 - order)

    def update(
        updates: optax.Updates, state: optax.EmptyState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.EmptyState]:
        if params is None:
            raise ValueError("`scale_by_weight` needs the parameters: update(updates, state, params)")

        def scaled(g: Array, w: Array) -> Array:
            size = jnp.abs(w) + floor
            return g * positive_power(size, 1 - order) * slope + shrinking * jnp.sign(w) * positive_power(
                size, 2 - order
            )

        return jax.tree.map(scaled, updates, params), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


class MomentumState(NamedTuple):
    history: optax.Updates
    """The last momenta of every leaf, newest first: [terms, ...]."""


def grunwald_letnikov_momentum(order: float, terms: int = 10) -> optax.GradientTransformation:
    """Momentum with a fading memory: the m with D^α m = g, the Grünwald–Letnikov difference of step 1 cut
    after `terms` terms: m_t = g_t - Σ_{k=1..terms} (-1)^k C(α, k) m_{t-k}. α = 0 is plain descent.

    Raises ValueError for an order outside [0, 1) or no terms.
    """
    if not 0 <= order < 1:
        raise ValueError(f"the order is from 0 on and below 1, and this one is {order}")
    if terms < 1:
        raise ValueError("at least one term of the past is needed")
    weights = [order]
    for k in range(2, terms + 1):
        weights.append(weights[-1] * (k - 1 - order) / k)

    def init(params: optax.Params) -> MomentumState:
        return MomentumState(jax.tree.map(lambda w: jnp.zeros((terms, *w.shape), w.dtype), params))

    def update(
        updates: optax.Updates, state: MomentumState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, MomentumState]:
        def momentum(g: Array, past: Array) -> Array:
            return g + jnp.tensordot(jnp.asarray(weights, past.dtype), past, axes=1)

        new = jax.tree.map(momentum, updates, state.history)
        history = jax.tree.map(lambda m, past: jnp.concatenate([m[None], past[:-1]]), new, state.history)
        return new, MomentumState(history)

    return optax.GradientTransformation(init, update)
