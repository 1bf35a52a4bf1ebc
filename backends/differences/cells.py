"""The divergence of nodal fields in cells, its adjoint, and the modes that invert their product.

In a cell a derivative is the difference of the nodes on its two sides, averaged over the other axes; the
gradient of cell values on the nodes is its negative adjoint (A. S. Almgren, J. B. Bell, W. G. Szymczak,
SIAM J. Sci. Comput. 17 (1996) 358-369). Both are exact to second order, and neither reads beyond a wall.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import Array
from numpy.typing import NDArray

from nablax.backends.differences.layout import slab
from nablax.backends.differences.modes import Basis, Spectrum
from nablax.plan import GridAxis

ROUNDING = 1e-12  # of eigenvalues between 0 and 1
MEAN, DIFFERENCE = 0, 2
"""Under which a basis keeps the eigenvalues of μ μ* and of δ δ*, the mean and the difference of two nodes."""


def to_cells(array: Array, grid: Sequence[GridAxis], along: int | None) -> Array:
    """Nodal values, of shape (points, ...), in the cells: shape (n, ...); differenced along one axis."""
    for k, axis in enumerate(grid):
        upper = slab(array, k, 1, axis.points)
        lower = slab(array, k, 0, axis.points - 1)
        if axis.periodic:
            lower, upper = array, jnp.concatenate([upper, slab(array, k, 0, 1)], axis=k)
        array = _joined(lower, upper, axis, k == along)
    return array


def to_nodes(array: Array, grid: Sequence[GridAxis], along: int | None) -> Array:
    """Values in the cells on the nodes, differenced along one axis; on a wall the cell beside it stands for
    both of its sides."""
    for k, axis in enumerate(grid):
        last = slab(array, k, axis.n - 1, axis.n)
        if axis.periodic:
            lower, upper = jnp.concatenate([last, slab(array, k, 0, axis.n - 1)], axis=k), array
        else:
            lower = jnp.concatenate([slab(array, k, 0, 1), array], axis=k)
            upper = jnp.concatenate([array, last], axis=k)
        array = _joined(lower, upper, axis, k == along)
    return array


def _joined(lower: Array, upper: Array, axis: GridAxis, differenced: bool) -> Array:
    return (upper - lower) / axis.spacing if differenced else (upper + lower) / 2


def spread_inwards(array: Array, axis: int) -> Array:
    """Values in the first and the last cells along an axis, halved, in the two cells next to either wall."""
    n = array.shape[axis]
    rest = [(0, 0)] * array.ndim
    first, last = slab(array, axis, 0, 1), slab(array, axis, n - 1, n)
    rest[axis] = (0, n - 2)
    lower = jnp.pad(jnp.concatenate([first, first], axis=axis), rest)
    rest[axis] = (n - 2, 0)
    return (lower + jnp.pad(jnp.concatenate([last, last], axis=axis), rest)) / 2


def cell_basis(axis: GridAxis, slips: tuple[bool, bool]) -> Basis:
    """What diagonalises δ δ* and μ μ* at once; `slips` tells the walls whose nodes evolve.

    Between walls by V with V* (h²/4 δ δ* + μ μ*) V = 1: then `forward` is V*, `backward` is V, and a sum of
    products of the two operators has V 1/Λ V* for a generalised inverse. Nodes on walls weigh a half.
    """
    if axis.periodic:
        theta = 2 * np.pi * np.fft.fftfreq(axis.n)
        means = _clean(np.cos(theta / 2) ** 2)
        return Basis(True, True, None, None, _spectra(means, axis), True)
    mean = _chain(axis.n, 1.0, [3.0 if slip else 1.0 for slip in slips])
    difference = _chain(axis.n, -1.0, [1.0, 1.0])
    values, vectors = scipy.linalg.eigh(mean, mean + difference)
    return Basis(False, True, vectors.T, vectors, _spectra(_clean(values), axis), True)


def _chain(n: int, beside: float, ends: Sequence[float]) -> NDArray[np.float64]:
    """A quarter of the matrix with 2 on the diagonal but for its ends, and `beside` next to it."""
    matrix = np.diag(np.full(n, 2.0)) + beside * (np.eye(n, k=1) + np.eye(n, k=-1))
    matrix[0, 0], matrix[-1, -1] = ends
    return matrix / 4


def _clean(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues with exact zeros and ones: they tell what the operators cannot see."""
    means = np.where(np.abs(means) < ROUNDING, 0.0, means)
    return np.where(np.abs(1 - means) < ROUNDING, 1.0, means)


def _spectra(means: NDArray[np.float64], axis: GridAxis) -> dict[int, Spectrum]:
    return {MEAN: means, DIFFERENCE: 4 / axis.spacing**2 * (1 - means)}
