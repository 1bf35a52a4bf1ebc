"""Ternary weights, trained straight through."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.affine import Weight, full

SMALLEST = 1e-12


class Ternary(eqx.Module):
    """γ·{-1, 0, 1} with one γ for the matrix: 1.58 bits an entry.

    Entries are rounded from trained ones, W ↦ γ round(clip(W/γ, -1, 1)) with γ the mean of |W|; the gradient
    passes the rounding unchanged. S. Ma et al., The era of 1-bit LLMs: all large language models are in
    1.58 bits, arXiv:2402.17764; Y. Bengio, N. Léonard, A. Courville, arXiv:1308.3432.
    """

    latent: Array

    def matrix(self) -> Array:
        rounded, scale = self.digits()
        return self.latent + jax.lax.stop_gradient(scale * rounded - self.latent)

    def digits(self) -> tuple[Array, Array]:
        """(entries in {-1, 0, 1}, γ): what has to be kept of a trained layer."""
        scale = jnp.maximum(jnp.mean(jnp.abs(self.latent)), SMALLEST)
        return jnp.round(jnp.clip(self.latent / scale, -1, 1)), scale


def ternary(key: Array, inputs: int, outputs: int) -> Weight:
    return Ternary(full(key, inputs, outputs).value)
