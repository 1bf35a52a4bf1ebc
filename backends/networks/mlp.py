"""The multilayer perceptron."""

from collections.abc import Callable

import equinox as eqx
import jax
from jax import Array

from nablax.backends.networks.affine import Affine, Hidden


class Mlp(eqx.Module):
    """σ(W x + b) `depth` times, then an affine map.

    M. Raissi, P. Perdikaris, G. E. Karniadakis, J. Comput. Phys. 378 (2019) 686..
    """

    layers: tuple[Affine, ...]
    last: Affine
    activation: Callable[[Array], Array] = eqx.field(static=True)

    def __init__(
        self,
        key: Array,
        inputs: int,
        outputs: int,
        hidden: Hidden,
    ) -> None:
        width = hidden.width
        keys = jax.random.split(key, hidden.depth + 1)
        first = Affine(hidden.outer, keys[0], inputs, width)
        self.layers = (first, *(Affine(hidden.inner, k, width, width) for k in keys[1:-1]))
        self.last = Affine(hidden.outer, keys[-1], width, outputs)
        self.activation = hidden.activation

    def __call__(self, x: Array) -> Array:
        for layer in self.layers:
            x = self.activation(layer(x))
        return self.last(x)
