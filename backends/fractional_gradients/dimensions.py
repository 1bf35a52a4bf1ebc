"""Fractional gradient descent with an order for every layer, as an optax transformation."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.scipy.special import gammaln

from nablax.backends.fractional_gradients.powers import positive_power


class DimensionState(NamedTuple):
    """What `scale_by_dimension` keeps between steps: the weights before, the largest dimension of a layer so
    far [] and whether there was a step []."""

    previous: optax.Params
    largest: Array
    started: Array


def scale_by_dimension(
    order: float, gain: float, floor: float = 1e-8
) -> optax.GradientTransformationExtraArgs:
    """g (|w_t - w_{t-1}| + floor)^(1-α) / Γ(2-α) with α = order - gain · d/d_max for every layer, d its
    effective dimension and d_max the largest of a layer up to this step: the rule of 2SEDFOSGD
    (M. Partohaghighi, R. Marcia, Y. Chen, arXiv:2505.02985; arXiv:2503.13764). Chain it with a learning rate.

    It needs the dimensions, numbers >= 0 [] from whatever estimate the caller trusts, in a tree whose leaves
    stand for layers, which may hold several arrays: update(updates, state, params, dimensions=tree). Without
    any above 0, every α is `order`. The first step, which has no iterate before it, is the ordinary one.
    Raises ValueError for a negative gain, or where orders from order - gain to order leave (0, 2).
    """
    if not 0 <= gain < order < 2:
        raise ValueError(
            f"orders from {order - gain} to {order}: they are above 0 and below 2, the gain not below 0"
        )

    def init(params: optax.Params) -> DimensionState:
        return DimensionState(params, jnp.zeros(()), jnp.zeros((), bool))

    def update(
        updates: optax.Updates,
        state: DimensionState,
        params: optax.Params | None = None,
        *,
        dimensions: optax.Params | None = None,
        **more: object,
    ) -> tuple[optax.Updates, DimensionState]:
        del more  # what other links of a chain take
        if params is None or dimensions is None:
            raise ValueError(
                "`scale_by_dimension` needs the parameters and the dimensions of the layers:"
                " update(updates, state, params, dimensions=tree)"
            )
        leaves = [jnp.asarray(d, state.largest.dtype) for d in jax.tree.leaves(dimensions)]
        largest = jnp.maximum(state.largest, jnp.max(jnp.stack(leaves)))
        unit = jnp.where(largest > 0, largest, 1)

        def layer(dimension: Array, g: optax.Updates, w: optax.Params, last: optax.Params) -> optax.Updates:
            alpha = order - gain * jnp.asarray(dimension, unit.dtype) / unit

            def scaled(g: Array, w: Array, last: Array) -> Array:
                factor = positive_power(jnp.abs(w - last) + floor, 1 - alpha) / jnp.exp(gammaln(2 - alpha))
                return jnp.where(state.started, factor.astype(g.dtype), jnp.ones_like(g)) * g

            return jax.tree.map(scaled, g, w, last)

        new = jax.tree.map(layer, dimensions, updates, params, state.previous)
        return new, DimensionState(params, largest, jnp.ones((), bool))

    return optax.GradientTransformationExtraArgs(init, update)
