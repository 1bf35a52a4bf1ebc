"""The third-order Runge–Kutta method whose stages are averages of Euler steps.

Shu and Osher, J. Comput. Phys. 77 (1988) 439, equation 2.18: what an Euler step of the same size keeps
(bounds, signs, total variation), a whole step keeps.
"""

from dataclasses import dataclass
from typing import Generic

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Carry, Parameters, Semidiscretisation, Vector
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.vectors import scaled

KEPT = (0.0, 3 / 4, 1 / 3)  # share of the state at the start of the step in each stage
NODES = (0.0, 1.0, 1 / 2)


@dataclass(frozen=True, slots=True)
class ShuOsher(Generic[Carry]):
    """One loop over the stages: the rate, the dear part of the program, is compiled once."""

    scheme: Semidiscretisation[Carry]

    def attempt(self, t: Array, carry: Carry, h: Array, params: Parameters) -> Attempt[Carry, tuple[()]]:
        first = self.scheme.core(carry)

        def stage(y: Vector, weights: tuple[Array, Array]) -> tuple[Vector, None]:
            kept, node = weights
            at = t + node * h
            rate = self.scheme.rate(at, self.scheme.embed(at, y, params), params)
            euler = (a + scaled(h, r) for a, r in zip(y, rate, strict=True))
            return tuple(
                scaled(kept, a) + scaled(1 - kept, b) for a, b in zip(first, euler, strict=True)
            ), None

        weights = jnp.asarray(KEPT, h.dtype), jnp.asarray(NODES, h.dtype)
        last, _ = lax.scan(stage, first, weights)
        new = self.scheme.finish(t + h, last, params)
        return Attempt(self.scheme.embed(t + h, new, params), (), None)
