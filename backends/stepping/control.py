"""Error size and step-size control."""

from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
from jax import Array

from nablax.backends.interface import Measured, Vector

Control = Literal["fixed", "adaptive", "checked", "courant", "mesh"]
"""One step size; one by an embedded error; equal steps whose size step doubling chooses; as long as the
waves of the present state allow; times known before the run."""
STEPWISE: tuple[Control, ...] = ("adaptive", "courant")
"""Controls that choose every step anew."""

SAFETY = 0.9
SMALLEST, LARGEST = 0.2, 5.0  # factors between consecutive steps
DEADBAND = 1.2  # a step that may grow by less is held: a changed shift may cost a factorisation
REFUSALS = 40  # in a row: the step has gone to nothing


@dataclass(frozen=True, slots=True)
class Tolerance:
    relative: float
    absolute: float

    def scaled(self, scheme: object, error: Vector, *states: Vector) -> Array:
        """The error's size over (absolute + relative · size of y), the worst unknown's; 1 is just right.

        The size of y is the largest over the states given.

        Sizes are root mean squares over the grid where the scheme gives them, the largest nodal
        magnitude otherwise. Infinite for an error that is not a number.
        """
        size = scheme.norm if isinstance(scheme, Measured) else largest
        sizes = size(states[0])
        for y in states[1:]:
            sizes = tuple(jnp.maximum(a, b) for a, b in zip(sizes, size(y), strict=True))
        ratios = [e / (self.absolute + self.relative * s) for e, s in zip(size(error), sizes, strict=True)]
        worst = ratios[0]
        for r in ratios[1:]:
            worst = jnp.maximum(worst, r)
        return jnp.where(jnp.isfinite(worst), worst, jnp.inf)


def largest(y: Vector) -> tuple[Array, ...]:
    """The largest magnitude of each array."""
    return tuple(jnp.max(jnp.abs(a)) for a in y)


def factor(error: Array, before: Array, order: int) -> Array:
    """The PI controller of Gustafsson, as in Hairer and Wanner, "Solving ODEs II", equation IV.2.43.

    `error` and `before` are scaled errors of this step and the last accepted one; `order` is that of the
    lower solution. An infinite error asks for the strongest cut.
    """
    floor = jnp.asarray(1e-10, error.dtype)
    e, b = jnp.maximum(error, floor), jnp.maximum(before, floor)
    k = order + 1
    wanted = SAFETY * e ** (-0.7 / k) * b ** (0.4 / k)
    accepted = jnp.clip(wanted, SMALLEST, LARGEST)
    refused = jnp.clip(SAFETY * e ** (-1.0 / k), SMALLEST, 1.0)
    return jnp.where(error <= 1.0, accepted, refused)
