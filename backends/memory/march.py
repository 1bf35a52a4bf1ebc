"""Steps whose times are known beforehand."""

from collections.abc import Sequence
from math import log
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import Parameters, Vector
from nablax.backends.stepping.fixed import BETWEEN_CHECKS, March
from nablax.backends.stepping.method import Method
from nablax.backends.stepping.vectors import finite

MeshMethod = Method[Vector, tuple[()], tuple[()]]


class Steps(NamedTuple):
    """Where each step begins, since the start of the run, and its length."""

    begins: Array
    lengths: Array


def steps_of(mesh: Sequence[np.ndarray], start: float, dtype: str) -> Steps:
    """All steps of a mesh, in double precision until they are steps."""
    begins = np.concatenate([m[:-1] - start for m in mesh]) if mesh else np.zeros(0)
    lengths = np.concatenate([np.diff(m) for m in mesh]) if mesh else np.zeros(0)
    return Steps(cast(Array, begins.astype(dtype)), cast(Array, lengths.astype(dtype)))


def follow(
    method: MeshMethod, y: Vector, steps: Steps, first: Array, last: Array, params: Parameters
) -> March:
    """The steps from `first` until before `last`; stops within `BETWEEN_CHECKS` of the first infinite value.

    The range is traced, so that one program serves every chunk. Forward mode only.
    """

    def one(i: Array, y: Vector) -> Vector:
        return method.step(steps.begins[i], y, (), steps.lengths[i], (), params).carry

    def some(state: tuple[Array, Array, Vector]) -> tuple[Array, Array, Vector]:
        i, _, inner = state
        until = jnp.minimum(i + BETWEEN_CHECKS, last)
        inner = lax.fori_loop(i, until, one, inner)
        return until, finite(inner), inner

    def going(state: tuple[Array, Array, Vector]) -> Array:
        return (state[0] < last) & state[1]

    taken, ok, y = lax.while_loop(going, some, (first, jnp.ones((), bool), y))
    return March(y, taken - first, ok)


def trajectory(
    method: MeshMethod,
    y: Vector,
    width: int,
    mesh: Sequence[np.ndarray],
    start: float,
    dtype: str,
    params: Parameters,
) -> Vector:
    """The first `width` arrays of y at the end of every interval of the mesh, stacked: for reverse mode.

    Steps go in equal pieces, computed again in reverse mode instead of kept.
    """
    counts = [len(m) - 1 for m in mesh]
    piece = _piece(counts)
    begins, lengths, taken = [], [], []
    last: list[int] = []
    for times, count in zip(mesh, counts, strict=True):
        pieces = -(-count // piece)
        padding = np.zeros(pieces * piece - count)
        begins.append(np.concatenate([times[:-1] - start, padding]).reshape(-1, piece))
        lengths.append(np.concatenate([np.diff(times), padding]).reshape(-1, piece))
        taken.append((np.arange(pieces * piece) < count).reshape(-1, piece))
        last.append((last[-1] if last else 0) + pieces)

    def one(y: Vector, step: tuple[Array, Array, Array]) -> tuple[Vector, None]:
        begin, length, real = step
        moved = lax.cond(real, lambda y: method.step(begin, y, (), length, (), params).carry, lambda y: y, y)
        return moved, None

    @jax.checkpoint
    def several(y: Vector, steps: tuple[Array, Array, Array]) -> tuple[Vector, Vector]:
        y, _ = lax.scan(one, y, steps)
        return y, y[:width]

    xs = (np.concatenate(begins).astype(dtype), np.concatenate(lengths).astype(dtype), np.concatenate(taken))
    _, found = lax.scan(several, y, xs)
    whole = [jnp.concatenate([a[None], b]) for a, b in zip(y[:width], found, strict=True)]
    return tuple(a[np.asarray(last)] for a in whole)


def _piece(counts: Sequence[int]) -> int:
    """Steps in a piece: about the root of all, few of them in vain."""
    total = sum(counts)
    if not total:
        return 1
    root = max(int(np.sqrt(total)), 1)
    candidates = range(1, 2 * root + 1)

    def cost(piece: int) -> float:
        pieces = sum(-(-c // piece) for c in counts)
        return pieces * piece / total + 0.1 * abs(log(piece / root))

    return min(candidates, key=cost)
