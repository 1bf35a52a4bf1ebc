"""Random Fourier features."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array


class FourierFeatures(eqx.Module):
    """x to (cos Bx, sin Bx), B normal: high frequencies are within reach from the start.

    M. Tancik et al., Fourier features let networks learn high frequency functions in low dimensional domains,
    NeurIPS 2020; S. Wang, H. Wang, P. Perdikaris, Comput. Methods Appl. Mech. Eng. 384 (2021) 113938. B is
    trained with the rest.
    """

    frequencies: Array

    def __init__(self, key: Array, inputs: int, count: int, scale: float) -> None:
        self.frequencies = scale * jax.random.normal(key, (count, inputs))

    def __call__(self, x: Array) -> Array:
        phase = self.frequencies @ x
        return jnp.concatenate([jnp.cos(phase), jnp.sin(phase)])
