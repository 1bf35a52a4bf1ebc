"""Bundles of steps on blocks of rows, one block after the other.

Where an array is larger than a core's cache, every step of a bundle reads and writes memory; a block of rows
with its ghosts stays in the cache for all steps of the bundle, at the price of ghosts computed by two blocks
(measured: 0.66 to 0.74 times the CPU time of Gray–Scott, 1024²; 0.95 of heat, 512² and 2048²). Beside the
state, one array with ghosts at its ends is all that is held.
"""

from collections.abc import Callable
from math import prod

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.interface import Extensible, Vector

SHARE = 8  # rows of a block over the ghosts on one side of it, at least
CACHE = 1 << 25  # bytes of a block, ghosts included


def block_rows(shape: tuple[int, ...], bytes_a_node: int, ghosts: tuple[int, ...]) -> int | None:
    """Rows in a block, given the ghosts on either side along each axis; None where blocks gain nothing.

    A whole grid that fits has none, nor has one whose rows are so long that ghosts would be most of a block.
    """
    around = prod(n + 2 * g for n, g in zip(shape[1:], ghosts[1:], strict=True)) * bytes_a_node
    least = SHARE * max(ghosts[0], 1)
    if (shape[0] + 2 * ghosts[0]) * around <= CACHE or shape[0] < 4 * least:
        return None
    # A quarter of the grid at most: two blocks with their ghosts are held beside the grid.
    rows = min(CACHE // around - 2 * ghosts[0], shape[0] // 4)
    return None if rows < least else -(-shape[0] // -(-shape[0] // rows))


def by_blocks(
    scheme: Extensible, rows: int, depth: int, y: Vector, advance: Callable[[Extensible, Vector], Vector]
) -> Vector:
    """`advance` from arrays of `depth` to those without ghosts, on blocks of so many rows.

    The last block may overlap the one before: it makes the same numbers of the same arrays.
    """
    part = scheme.part(rows)
    tall = scheme.extend(y, depth, (0,))
    count, reaching = y[0].shape[0], rows + tall[0].shape[0] - y[0].shape[0]

    def one(k: Array, done: Vector) -> Vector:
        start = jnp.minimum(k * rows, count - rows)
        near = tuple(lax.dynamic_slice_in_dim(a, start, reaching, 0) for a in tall)
        new = advance(part, part.extend(near, depth, tuple(range(1, y[0].ndim))))
        return tuple(lax.dynamic_update_slice_in_dim(a, b, start, 0) for a, b in zip(done, new, strict=True))

    made: Vector = lax.fori_loop(0, -(-count // rows), one, y)
    return made
