"""Reproducible noise for initial data."""

import math

import numpy as np
from numpy.typing import NDArray


def noise(seed: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Independent uniform numbers on [-1, 1], shifted to zero mean over the grid.

    `shape` is the grid's. Made on the host by NumPy's PCG64 from the seed and the shape, so that a run
    repeats bit for bit on every device and two grids do not share a prefix. Raises ValueError for a
    negative seed.
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, *shape))))
    values = generator.uniform(-1.0, 1.0, math.prod(shape)).reshape(shape)
    return np.asarray(values - values.mean())
