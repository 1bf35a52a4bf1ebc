"""What of the conditions of an open side enters: they speak for the waves that run inwards, and for no other.

Waves are told apart by the eigenvectors of the flux Jacobian in the state at the wall; what a condition
changes is projected on those whose speeds point inwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Environment, Operand, evaluate
from nablax.backends.volumes import riemann
from nablax.backends.volumes.characteristic import jacobian
from nablax.passes.divergence import Law
from nablax.passes.openings import Opening
from nablax.passes.waves import Characteristics
from nablax.plan import Plan
from nablax.planning.eigenvectors import Eigenbasis

STILL = 1e-8  # of the fastest wave at the wall: slower ones do not enter
APART = 1e-7  # likewise: closer speeds are one


@dataclass(frozen=True, slots=True)
class Passage:
    """`bases[axis]`: the blocks of several unknowns whose eigenvectors are known."""

    plan: Plan
    law: Law
    waves: Characteristics
    bases: tuple[tuple[Eigenbasis, ...], ...]

    def entering(
        self, pair: Sequence[Opening], wall: Array, cells: Array, around: Environment, changes: Array
    ) -> Array:
        """The part of `changes`, shape (cells beyond, unknowns, ...), that waves carry inwards.

        `wall` is the state at both ends of an axis as the inside has it, `cells` are the averages beside
        them: shape (unknowns, ...), two thick along the axis. `around` holds the coordinates of the ends,
        time and parameters. A block without known eigenvectors takes all where any of its waves enters.
        """
        axis = pair[0].axis
        wall = self._sensible(wall, cells, around)
        there, beside = (
            {**around, **{u.value: a for u, a in zip(self.plan.system.unknowns, state, strict=True)}}
            for state in (wall, cells)
        )
        shape, dtype = wall.shape[1:], wall.dtype
        ends = tuple(2 if k == axis else 1 for k in range(len(shape)))
        inwards = jnp.asarray(np.array([1.0, -1.0]).reshape(ends), dtype)
        result = [jnp.zeros_like(changes[:, 0])] * len(wall)
        for block in self.waves.blocks:
            members = block.members
            if not any(o.given[i] is not None for o in pair for i in members):
                continue
            if all(self.law.fluxes[axis][i] == 0 for i in members):
                continue
            slow, fast = (_full(v, shape, dtype) for v in riemann.speeds(block, axis, there))
            largest = jnp.maximum(jnp.abs(slow), jnp.abs(fast))
            for speed in riemann.speeds(block, axis, beside):
                largest = jnp.maximum(largest, jnp.abs(speed))
            basis = next((b for b in self._bases(axis) if b.members == members), None)
            if basis is None:
                enters = jnp.maximum(inwards * slow, inwards * fast) > STILL * largest
                for i in members:
                    result[i] = jnp.where(enters[None], changes[:, i], 0.0)
                continue
            matrix, speeds = jacobian(basis, there, shape, dtype)
            enters = inwards[None] * speeds > STILL * largest[None]
            own = jnp.stack([changes[:, i] for i in members])
            for i, part in zip(members, projection(matrix, speeds, enters, largest, own), strict=True):
                result[i] = part
        return jnp.stack(result, axis=1)

    def _bases(self, axis: int) -> tuple[Eigenbasis, ...]:
        return self.bases[axis] if self.bases else ()

    def _sensible(self, wall: Array, cells: Array, around: Environment) -> Array:
        """The state at the wall, but the average beside it where a guard changes its sign."""
        if not self.waves.guards:
            return wall
        unknowns: list[sp.Basic] = [u.value for u in self.plan.system.unknowns]
        found = [
            evaluate(self.waves.guards, {**around, **dict(zip(unknowns, state, strict=True))})
            for state in (wall, cells)
        ]
        good = jnp.ones(wall.shape[1:], bool)
        for a, b in zip(*found, strict=True):
            good = good & (jnp.asarray(a) * jnp.asarray(b) > 0)
        return jnp.where(good[None], wall, cells)


def _full(value: Operand, shape: tuple[int, ...], dtype: jnp.dtype) -> Array:
    return jnp.broadcast_to(jnp.asarray(value, dtype), shape)


def projection(matrix: Array, speeds: Array, kept: Array, scale: Array, vectors: Array) -> Array:
    """The part of vectors, shape (members, count, ...), in the eigenspaces whose speeds are `kept`; nothing
    where a kept speed meets another one, nearer than APART of `scale`.

    `matrix` of shape (members, members, ...) has a full set of eigenvectors, `speeds` and `kept` of shape
    (speeds, ...) are its distinct eigenvalues. A polynomial in the matrix that is 1 at the kept ones and 0
    at the others, in Newton's form.
    """
    values = [jnp.asarray(k, matrix.dtype) for k in kept]
    table = values
    coefficients = [table[0]]
    good = jnp.ones_like(kept[0])
    for step in range(1, len(values)):
        following = []
        for k in range(len(table) - 1):
            gap, rise = speeds[k + step] - speeds[k], table[k + 1] - table[k]
            near = jnp.abs(gap) < APART * scale
            good = good & ~(near & (kept[k] != kept[k + step]))
            following.append(jnp.where(near, 0.0, rise / jnp.where(near, jnp.ones_like(gap), gap)))
        table = following
        coefficients.append(table[0])
    total = coefficients[-1][None, None] * vectors
    for k in range(len(values) - 2, -1, -1):
        moved = sum(
            (matrix[:, None, j] * total[None, j] for j in range(1, len(vectors))),
            start=matrix[:, None, 0] * total[None, 0],
        )
        total = moved - speeds[k][None, None] * total + coefficients[k][None, None] * vectors
    return jnp.where(good[None, None], total, jnp.zeros_like(total))
