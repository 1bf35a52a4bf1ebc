"""Fractional gradient descent with momentum, and with momentum and an energy, as optax transformations.

The fractional gradient is that of `scale_by_distance`: the Caputo derivative from the iterate before, with an
offset (X. Zhou and others, Neural Networks 181 (2025) 106810, who call these FOSGD, FOSGDM and FOSGDME).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from nablax.backends.fractional_gradients.optimisers import scale_by_distance


def fractional_momentum(
    order: float, decay: float = 0.9, floor: float = 1e-8
) -> optax.GradientTransformationExtraArgs:
    """v_t = decay v_{t-1} + g_t (|w_t - w_{t-1}| + floor)^(1-α) / Γ(2-α): FOSGDM. 0 < α < 2; chain it with a
    learning rate. Raises ValueError for another order."""
    return optax.chain(scale_by_distance(order, floor), optax.trace(decay))


class EnergyState(NamedTuple):
    """What `fractional_energy` keeps between steps: `energy` is r of every weight (zero before the first),
    `momentum` the mean of the fractional gradients before its start is corrected, both shaped as the weights;
    `inner` the state of the fractional gradient; `steps` how many were taken, a whole number []."""

    energy: optax.Params
    momentum: optax.Updates
    inner: optax.OptState
    steps: Array


def fractional_energy(
    order: float, rate: float, decay: float = 0.9, offset: float = 1.0, floor: float = 1e-8
) -> optax.GradientTransformationExtraArgs:
    """Descent whose steps shrink with an energy of every weight, with momentum: after FOSGDME.

    With m the mean of the fractional gradients, its start corrected, and F = sqrt(loss + offset),

        v = m / (2F),   r ← r / (1 + 2 rate v²),   w ← w - 2 rate r v,   r = F at the start,

    so that r falls whatever the rate (the energy rule with momentum of H. Liu, X. Tian, SGEM, 2022, which is
    order 1). The update holds the learning rate. It needs the loss, which is above -offset:
    update(updates, state, params, value=loss). Raises ValueError for an order outside (0, 2).
    """
    fractional = scale_by_distance(order, floor)

    def init(params: optax.Params) -> EnergyState:
        nothing = jax.tree.map(jnp.zeros_like, params)
        return EnergyState(nothing, nothing, fractional.init(params), jnp.zeros((), jnp.int32))

    def update(
        updates: optax.Updates,
        state: EnergyState,
        params: optax.Params | None = None,
        *,
        value: Array | float | None = None,
        **more: object,
    ) -> tuple[optax.Updates, EnergyState]:
        del more  # what other links of a chain take
        if value is None:
            raise ValueError("`fractional_energy` needs the loss: update(updates, state, params, value=loss)")
        gradient, inner = fractional.update(updates, state.inner, params)
        count = state.steps + 1
        root = jnp.sqrt(jnp.asarray(value) + offset)
        momentum = jax.tree.map(lambda m, g: decay * m + (1 - decay) * g, state.momentum, gradient)
        scale = 2 * (1 - decay ** count.astype(root.dtype)) * root
        direction = jax.tree.map(lambda m: m / scale.astype(m.dtype), momentum)
        energy = jax.tree.map(
            lambda r, v: jnp.where(count == 1, root.astype(v.dtype), r) / (1 + 2 * rate * v**2),
            state.energy,
            direction,
        )
        moved = jax.tree.map(lambda r, v: -2 * rate * r * v, energy, direction)
        return moved, EnergyState(energy, momentum, inner, count)

    return optax.GradientTransformationExtraArgs(init, update)
