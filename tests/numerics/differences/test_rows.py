"""Rows laid end to end read what windows read, and are zero where nodes are held."""

import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from nablax.backends.differences.layout import Halo, Region, window
from nablax.backends.differences.rows import rows_for

PINNED, PERIODIC = (1, 1), (0, 0)


def _case(sizes: tuple[int, ...], held: tuple[tuple[int, int], ...]) -> tuple[Array, Halo, Region, Region]:
    halo = tuple((1, 1) if pair == PERIODIC else (0, 0) for pair in held)
    shape = tuple(n + a + b for n, (a, b) in zip(sizes, halo, strict=True))
    array = jnp.asarray(np.random.default_rng(0).normal(size=shape))
    inner = tuple((a, n - b) for n, (a, b) in zip(sizes, held, strict=True))
    return array, halo, inner, tuple((0, n) for n in sizes)


@pytest.mark.parametrize(
    ("sizes", "held"),
    [
        ((5, 7), (PINNED, PINNED)),
        ((5, 7), (PERIODIC, PINNED)),
        ((4, 5, 6), (PINNED, PINNED, PINNED)),
        ((4, 5, 6), (PERIODIC, PINNED, (1, 0))),
        ((4, 5, 6), (PINNED, PERIODIC, (0, 1))),
    ],
)
def test_rows_read_what_windows_read(sizes: tuple[int, ...], held: tuple[tuple[int, int], ...]) -> None:
    array, halo, inner, outer = _case(sizes, held)
    rows = rows_for(inner, outer)
    assert rows is not None
    widths = [(a, n - b) for (a, b), n in zip(inner, sizes, strict=True)]
    # Towards an end that is not held nothing can be read without ghosts.
    reach = [(-1, 1) if pair == PERIODIC else (-pair[0], pair[1]) for pair in held]
    for k, ends in enumerate(reach):
        for step in {*ends, 0}:
            offset = tuple(step if j == k else 0 for j in range(len(sizes)))
            assert rows.reaches(array.shape, halo, offset)
            expected = jnp.pad(window(array, halo, inner, offset), widths)
            np.testing.assert_array_equal(rows.lift(rows.at(array, halo, offset)), expected)


def test_rows_with_ghosts_or_without_room_are_refused() -> None:
    array, halo, inner, outer = _case((5, 7), (PINNED, PINNED))
    rows = rows_for(inner, outer)
    assert rows is not None
    assert not rows.reaches((5, 9), (halo[0], (1, 1)), (0, 1))
    free = rows_for(((0, 5), inner[1]), outer)
    assert free is not None
    assert not free.reaches(array.shape, halo, (0, -1)), "the first row has none before it"
    assert rows_for(outer, outer) is None
    assert rows_for(inner[1:], outer[1:]) is None, "one axis has no rows"
