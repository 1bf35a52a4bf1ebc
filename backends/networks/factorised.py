"""Random weight factorisation."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.affine import Draw, Weight


class Factorised(eqx.Module):
    """W = diag(exp g) V, both trained: every neuron has a learning rate of its own.

    S. Wang, H. Wang, J. H. Seidman, P. Perdikaris, Random weight factorization improves the training of
    continuous neural representations, arXiv:2210.01274.
    """

    scale: Array
    direction: Array

    def matrix(self) -> Array:
        return jnp.exp(self.scale)[:, None] * self.direction


def factorised(draw: Draw, mean: float, deviation: float) -> Draw:
    """The matrices that `draw` gives, factorised with g ~ N(mean, deviation²)."""

    def drawn(key: Array, inputs: int, outputs: int) -> Weight:
        matrix_key, scale_key = jax.random.split(key)
        scale = mean + deviation * jax.random.normal(scale_key, (outputs,))
        return Factorised(scale, draw(matrix_key, inputs, outputs).matrix() / jnp.exp(scale)[:, None])

    return drawn
