"""Physics-informed residual adaptive networks."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.affine import Affine, Hidden


class Block(eqx.Module):
    """Three layers with the gates U and V, and a residual connection x ← α h + (1 - α) x, α = 0 at first."""

    layers: tuple[Affine, Affine, Affine]
    share: Array
    activation: Callable[[Array], Array] = eqx.field(static=True)

    def __init__(self, key: Array, hidden: Hidden) -> None:
        width = hidden.width
        one, two, three = (Affine(hidden.inner, k, width, width) for k in jax.random.split(key, 3))
        self.layers = (one, two, three)
        self.share = jnp.zeros(())
        self.activation = hidden.activation

    def __call__(self, x: Array, u: Array, v: Array) -> Array:
        h = x
        for layer in self.layers[:2]:
            h = v + self.activation(layer(h)) * (u - v)
        h = self.activation(self.layers[2](h))
        return x + self.share * (h - x)


class Pirate(eqx.Module):
    """A network that begins as a linear combination of its input features and grows as its blocks open.

    S. Wang, B. Li, Y. Chen, P. Perdikaris, PirateNets: physics-informed deep learning with residual adaptive
    networks, J. Mach. Learn. Res. 25 (2024). Inputs of another width than the blocks' pass an affine map.
    The depth counts blocks.
    """

    lift: Affine | None
    encoders: tuple[Affine, Affine]
    blocks: tuple[Block, ...]
    last: Affine
    activation: Callable[[Array], Array] = eqx.field(static=True)

    def __init__(
        self,
        key: Array,
        inputs: int,
        outputs: int,
        hidden: Hidden,
    ) -> None:
        width, inner = hidden.width, hidden.inner
        keys = jax.random.split(key, hidden.depth + 4)
        self.lift = None if inputs == width else Affine(hidden.outer, keys[0], inputs, width)
        self.encoders = (Affine(inner, keys[1], width, width), Affine(inner, keys[2], width, width))
        self.blocks = tuple(Block(k, hidden) for k in keys[3:-1])
        self.last = Affine(hidden.outer, keys[-1], width, outputs)
        self.activation = hidden.activation

    def __call__(self, x: Array) -> Array:
        if self.lift is not None:
            x = self.lift(x)
        u, v = (self.activation(encoder(x)) for encoder in self.encoders)
        for block in self.blocks:
            x = block(x, u, v)
        return self.last(x)
