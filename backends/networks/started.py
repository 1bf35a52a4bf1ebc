"""Networks of fields that start like a power of the time."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from nablax.backends.networks.inputs import Coordinate
from nablax.problem import Problem

NEAREST = 1e-30  # share of the time that a start is taken to be away, so that its powers are numbers


class Started(eqx.Module):
    """w_k(z) + Σ τ^p v_j(z) over the extra outputs v_j of a network, which come after those w of its own.

    τ is the share of the time that has passed; `powers` has, for each extra output, its k and its p.

    A factor τ^n, n ≥ -p, that conditions at the start bring in makes τ^(n+p) of the power there.
    """

    network: eqx.Module
    powers: tuple[tuple[int, float], ...] = eqx.field(static=True)
    time: Coordinate = eqx.field(static=True)

    def __call__(self, z: Array) -> Array:
        assert callable(self.network)
        found = jnp.asarray(self.network(z))
        own = found.shape[0] - len(self.powers)
        share = (z[self.time.start] - self.time.low) / (self.time.high - self.time.low)
        share = jnp.where(share > NEAREST, share, NEAREST)
        parts = list(found[:own])
        for extra, (k, power) in zip(found[own:], self.powers, strict=True):
            parts[k] = parts[k] + share**power * extra
        return jnp.stack(parts)


def powers_of(problem: Problem, starts: Sequence[tuple[str, float]]) -> tuple[tuple[int, float], ...]:
    """For every extra output the output that it belongs to, and its power; two for a complex component."""
    named = dict(starts)
    found: list[tuple[int, float]] = []
    k = 0
    for component in problem.components:
        for _ in range(2 if component.complex else 1):
            if component.name in named:
                found.append((k, named[component.name]))
            k += 1
    return tuple(found)
