"""Steps whose times are known beforehand."""

from collections.abc import Callable, Sequence
from math import log
from typing import NamedTuple, cast

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from nablax.backends.interface import Parameters, Vector
from nablax.backends.stepping.fixed import BETWEEN_CHECKS, March
from nablax.backends.stepping.method import Method
from nablax.backends.stepping.vectors import finite
from nablax.plan import EQUAL, Stepping
from nablax.planning.meshes import mesh_of

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


def steps_from(stepping: Stepping, frames: Sequence[float], dtype: str, time: Array) -> tuple[Steps, Array]:
    """All steps of a run, and the one that begins nearest to a time."""
    steps = Steps(*(jnp.asarray(a) for a in steps_of(mesh_of(stepping, frames), frames[0], dtype)))
    return steps, jnp.argmin(jnp.abs(steps.begins - (time - frames[0]))).astype("int32")


def check_room(stepping: Stepping, mesh: Sequence[np.ndarray]) -> None:
    """Raises ValueError where a state of the plan's size cannot take the steps of a mesh."""
    assert stepping.recall is not None
    lengths = np.concatenate([np.diff(m) for m in mesh])
    if not len(lengths):
        return
    more = len(lengths) > stepping.recall.capacity
    if stepping.name in EQUAL and (more or np.ptp(lengths) > 1e-6 * lengths.max()):
        raise ValueError("`cq` takes equal steps: `save_at` holds times of the plan's own steps")
    if more and stepping.recall.engine == "direct":
        raise ValueError(
            f"`save_at` asks for {len(lengths)} steps, and the state has room for {stepping.recall.capacity}"
        )


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


Piece = Callable[[Vector, Steps, Array], Vector]
"""A fixed number of steps, those not marked left out."""


def taken(method: MeshMethod, y: Vector, steps: Steps, marked: Array, params: Parameters) -> Vector:
    """The steps that are marked, one after the other; differentiable."""

    def one(y: Vector, step: tuple[Array, Array, Array]) -> tuple[Vector, None]:
        begin, length, real = step
        moved = lax.cond(real, lambda y: method.step(begin, y, (), length, (), params).carry, lambda y: y, y)
        return moved, None

    return lax.scan(one, y, (*steps, marked))[0]


def trajectory(
    several: Piece, piece: int, y: Vector, width: int, mesh: Sequence[np.ndarray], start: float, dtype: str
) -> Vector:
    """The first `width` arrays of y at the end of every interval of the mesh, stacked: for reverse mode.

    Steps go in pieces of `piece`, by `several`, which computes them again in reverse mode instead of keeping
    them.
    """
    counts = [len(m) - 1 for m in mesh]
    begins, lengths, marked = [], [], []
    last: list[int] = []
    for times, count in zip(mesh, counts, strict=True):
        pieces = -(-count // piece)
        padding = np.zeros(pieces * piece - count)
        begins.append(np.concatenate([times[:-1] - start, padding]).reshape(-1, piece))
        lengths.append(np.concatenate([np.diff(times), padding]).reshape(-1, piece))
        marked.append((np.arange(pieces * piece) < count).reshape(-1, piece))
        last.append((last[-1] if last else 0) + pieces)

    def one(y: Vector, steps: tuple[Array, Array, Array]) -> tuple[Vector, Vector]:
        y = several(y, Steps(*steps[:2]), steps[2])
        return y, y[:width]

    first, second = (jnp.asarray(np.concatenate(a), dtype) for a in (begins, lengths))
    _, found = lax.scan(one, y, (first, second, jnp.asarray(np.concatenate(marked))))
    whole = [jnp.concatenate([a[None], b]) for a, b in zip(y[:width], found, strict=True)]
    return tuple(a[np.asarray(last)] for a in whole)


def piece_of(mesh: Sequence[np.ndarray]) -> int:
    """Steps in a piece: about the root of all, few of them in vain."""
    counts = [len(m) - 1 for m in mesh]
    total = sum(counts)
    if not total:
        return 1
    root = max(int(np.sqrt(total)), 1)
    candidates = range(1, 2 * root + 1)

    def cost(piece: int) -> float:
        pieces = sum(-(-c // piece) for c in counts)
        return pieces * piece / total + 0.1 * abs(log(piece / root))

    return min(candidates, key=cost)
