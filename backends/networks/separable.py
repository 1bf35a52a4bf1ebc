"""Separable networks."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.affine import Hidden
from nablax.backends.networks.mlp import Mlp


class Separable(eqx.Module):
    """Σ_r Π_i f_ri(x_i): a perceptron for every axis, their outputs multiplied and summed over the rank.

    J. Cho, S. Nam, H. Yang, S.-B. Yun, Y. Hong, E. Park, Separable physics-informed neural networks,
    NeurIPS 2023.
    """

    bodies: tuple[Mlp, ...]
    outputs: int = eqx.field(static=True)

    def __init__(
        self,
        key: Array,
        inputs: Sequence[int],
        outputs: int,
        hidden: Hidden,
        rank: int,
    ) -> None:
        keys = jax.random.split(key, len(inputs))
        self.bodies = tuple(Mlp(k, n, rank * outputs, hidden) for k, n in zip(keys, inputs, strict=True))
        self.outputs = outputs

    def __call__(self, parts: Sequence[Array]) -> Array:
        product = self.bodies[0](parts[0])
        for body, x in zip(self.bodies[1:], parts[1:], strict=True):
            product = product * body(x)
        return jnp.sum(product.reshape(self.outputs, -1), axis=1)
