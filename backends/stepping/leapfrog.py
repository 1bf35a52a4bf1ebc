"""Leapfrog for equations of second order in time without damping: u' = v, v' = a(t, u).

Half a drift, a kick, half a drift (position Verlet): second order, time-reversible and symplectic, one
evaluation a step, stable while frequency times step is below 2. Source: Hairer, Lubich, Wanner, Acta
Numerica 12 (2003) 399, section 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
from jax import Array

from nablax.backends.branches import apart
from nablax.backends.interface import Extensible, Parameters, Semidiscretisation, Vector
from nablax.backends.stepping.method import Attempt
from nablax.backends.stepping.vectors import scaled
from nablax.plan import Plan

Pairs = tuple[tuple[int, int], ...]
"""Indices of each field and of its rate."""


def pairs_of(plan: Plan) -> Pairs:
    unknowns = plan.system.unknowns
    return tuple((u.rate_of, i) for i, u in enumerate(unknowns) if u.rate_of is not None)


@dataclass(frozen=True, slots=True)
class Leapfrog:
    """Drift, kick, drift on whole grids: the `attempt` of a `Memoryless` method."""

    scheme: Semidiscretisation[Vector]
    pairs: Pairs

    def attempt(self, t: Array, carry: Vector, h: Array, params: Parameters) -> Attempt[Vector, tuple[()]]:
        y = drifted(self.scheme.core(carry), h / 2, self.pairs)
        middle, after = t + h / 2, t + h
        rate = self.scheme.rate(middle, self.scheme.embed(middle, y, params), params)
        y = drifted(kicked(y, rate, h, self.pairs), h / 2, self.pairs)
        new = self.scheme.finish(after, y, params)
        return Attempt(self.scheme.embed(after, new, params), (), None)


@dataclass(frozen=True, slots=True)
class LeapfrogBundle:
    """`steps` steps on arrays that reach beyond the grid; drifts between two kicks are one."""

    scheme: Extensible
    pairs: Pairs
    steps: int

    def advance(self, t: Array, y: Vector, h: Array, params: Parameters) -> Vector:
        """y after `steps` steps of size h; not a number where t is none."""
        depth = self.steps
        scheme, sound = self.scheme, jnp.isfinite(t)
        fields, rates = ([pair[k] for pair in self.pairs] for k in (0, 1))
        arrays = scheme.extend(drifted(y, h / 2, self.pairs), depth)
        for i in range(self.steps):
            span = h / 2 if i + 1 == self.steps else h
            # Only what changes comes out of a branch: the rest would be copied.
            kick = partial(self._kicked, depth)
            moved = apart(sound, kick, t + (i + 0.5) * h, arrays, h, params)
            arrays = _replaced(arrays, list(zip(rates, moved, strict=True)))
            drift = partial(self._drift, depth)
            moved = apart(sound, drift, arrays, span)
            arrays = _replaced(arrays, list(zip(fields, moved, strict=True)))
            depth -= 1
        return arrays

    def _kicked(self, depth: int, t: Array, y: Vector, h: Array, params: Parameters) -> Vector:
        """The rates after a kick, on a box smaller by one radius."""
        rate = self.scheme.rate(depth, t, y, params)
        moved = kicked(self.scheme.crop(y, depth, depth - 1), rate, h, self.pairs)
        return tuple(moved[v] for _, v in self.pairs)

    def _drift(self, depth: int, y: Vector, span: Array) -> Vector:
        """The fields of a depth, drifted with rates on the box smaller by one radius."""
        small = self.scheme.crop(tuple(y[u] for u, _ in self.pairs), depth, depth - 1)
        return tuple(u + scaled(span, y[v]) for u, (_, v) in zip(small, self.pairs, strict=True))


def drifted(y: Vector, span: Array, pairs: Pairs) -> Vector:
    """u + span · v."""
    return _replaced(y, [(u, y[u] + scaled(span, y[v])) for u, v in pairs])


def kicked(y: Vector, rate: Vector, span: Array, pairs: Pairs) -> Vector:
    """v + span · a."""
    return _replaced(y, [(v, y[v] + scaled(span, rate[v])) for _, v in pairs])


def _replaced(y: Vector, changes: Sequence[tuple[int, Array]]) -> Vector:
    result = list(y)
    for index, array in changes:
        result[index] = array
    return tuple(result)
