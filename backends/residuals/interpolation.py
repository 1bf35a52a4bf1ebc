"""Values at many places of one line from those at a few: interpolation in Chebyshev polynomials."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Between `nodes` [count], Chebyshev's of the first kind on the interval that holds all places; `basis`
    [places, count] has the polynomials at the places."""

    nodes: Array
    basis: Array

    def __call__(self, values: Array) -> Array:
        """Values [places, ..] of what has values [count, ..] at the nodes (L. N. Trefethen, Approximation
        Theory and Approximation Practice, 2013, chapter 3)."""
        count = len(self.nodes)
        waves = np.cos(np.outer(np.arange(count), _angles(count)))
        waves[0] /= 2
        exact = jax.lax.Precision.HIGHEST
        coefficients = jnp.matmul(jnp.asarray(2 / count * waves, values.dtype), values, precision=exact)
        return jnp.matmul(self.basis.astype(values.dtype), coefficients, precision=exact)


def interpolation(places: Array, count: int) -> Interpolation:
    """For places [places] that do not all coincide; smooth in them."""
    low, high = (jax.lax.stop_gradient(end) for end in (places.min(), places.max()))
    half = jnp.maximum((high - low) / 2, float(np.finfo(places.dtype).tiny))
    nodes = low + half * (1 + jnp.asarray(np.cos(_angles(count)), places.dtype))
    x = (places - low) / half - 1
    basis = [jnp.ones_like(x), x]
    for _ in range(count - 2):
        basis.append(2 * x * basis[-1] - basis[-2])
    return Interpolation(nodes, jnp.stack(basis[:count], axis=1))


def _angles(count: int) -> np.ndarray:
    return np.pi * (np.arange(count) + 0.5) / count
