"""The modified multilayer perceptron."""

from collections.abc import Callable

import equinox as eqx
import jax
from jax import Array

from nablax.backends.networks.affine import Affine, Hidden


class ModifiedMlp(eqx.Module):
    """Every hidden layer mixes two encodings U, V of the input: h ← σ(W h + b), h ← h U + (1 - h) V.

    S. Wang, Y. Teng, P. Perdikaris, Understanding and mitigating gradient flow pathologies in
    physics-informed neural networks, SIAM J. Sci. Comput. 43 (2021) A3055.
    """

    encoders: tuple[Affine, Affine]
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
        width, outer = hidden.width, hidden.outer
        keys = jax.random.split(key, hidden.depth + 3)
        self.encoders = (Affine(outer, keys[0], inputs, width), Affine(outer, keys[1], inputs, width))
        first = Affine(outer, keys[2], inputs, width)
        self.layers = (first, *(Affine(hidden.inner, k, width, width) for k in keys[3:-1]))
        self.last = Affine(outer, keys[-1], width, outputs)
        self.activation = hidden.activation

    def __call__(self, x: Array) -> Array:
        u, v = (self.activation(encoder(x)) for encoder in self.encoders)
        for layer in self.layers:
            x = v + self.activation(layer(x)) * (u - v)
        return self.last(x)
