"""Coordinates as a network wants them: scaled to [-1, 1], periodic ones on a circle."""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array


@dataclass(frozen=True, slots=True)
class Coordinate:
    """`size` columns of a point from `start` on, between `low` and `high`."""

    start: int
    size: int
    low: float
    high: float
    periodic: bool


class Inputs(eqx.Module):
    """z [axes] to features: (2z - low - high)/(high - low), and on periodic axes the first `harmonics` pairs
    cos kφ, sin kφ with φ = 2π(z - low)/(high - low), of which every function is exactly periodic, with all
    its derivatives.

    S. Dong, N. Ni, A method for representing periodic functions and enforcing exactly periodic boundary
    conditions with deep neural networks, J. Comput. Phys. 435 (2021) 110242.
    """

    coordinates: tuple[Coordinate, ...] = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Features of each coordinate."""
        return tuple(c.size * (2 * self.harmonics if c.periodic else 1) for c in self.coordinates)

    def parts(self, z: Array) -> list[Array]:
        """The features of each coordinate."""
        return [self._features(c, z[c.start : c.start + c.size]) for c in self.coordinates]

    def __call__(self, z: Array) -> Array:
        return jnp.concatenate(self.parts(z))

    def _features(self, axis: Coordinate, z: Array) -> Array:
        length = axis.high - axis.low
        if not axis.periodic:
            return z * (2 / length) - (axis.low + axis.high) / length
        phase = (z - axis.low) * (2 * np.pi / length)
        phases = jnp.concatenate([k * phase for k in range(1, self.harmonics + 1)])
        return jnp.concatenate([jnp.cos(phases), jnp.sin(phases)])
