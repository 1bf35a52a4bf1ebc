"""Eigenvectors of one-dimensional operators: Fourier modes, sines and cosines, and those of any closure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from nablax.backends.differences import trigonometric
from nablax.backends.differences.modes import Basis, Spectrum
from nablax.backends.differences.walls import Matrix, Wall, closure, closure_degree
from nablax.plan import GridAxis
from nablax.stencils import centred, centred_symbol, radius

COMMUTING = 1e-9  # relative size of off-diagonal entries that counts as rounding
ROUNDING = 1e-12  # relative difference from its mirror image that counts as none
DENSE = 1000  # cells up to which the eigenvectors of a closure pay in a run of many steps
ILL_CONDITIONED = 1e8  # of an eigenvector matrix, beyond which it is not used

Numbers = Sequence[Sequence[float]]
"""Per condition of a wall the numbers taken for its coefficients."""


def derivative_matrix(
    order: int,
    accuracy: int,
    axis: GridAxis,
    walls: tuple[Wall, Wall],
    coefficients: Sequence[Numbers],
) -> Matrix:
    """The one-dimensional operator on all nodes with homogeneous walls; shape (points, points).

    `coefficients[side]` are the numbers taken for the coefficients of the conditions. Rows and columns of
    pinned nodes are included and mean nothing else than "value at the wall".
    """
    r = radius(order, accuracy)
    points = axis.points
    extended = np.zeros((points + 2 * r, points))
    extended[r : r + points] = np.eye(points)
    for wall, values in zip(walls, coefficients, strict=True):
        if wall.halo == 0:
            continue
        ghosts, _ = closure(wall, tuple(tuple(v) for v in values))
        rows = min(wall.halo, r)
        if wall.side == 0:
            for g in range(rows):
                extended[r - 1 - g, : ghosts.shape[1]] = ghosts[g]
        else:
            for g in range(rows):
                extended[r + points + g, points - ghosts.shape[1] :] = ghosts[g, ::-1]
    weights = np.asarray(centred(order, accuracy)) / axis.spacing**order
    return np.asarray(sum(w * extended[j : j + points] for j, w in enumerate(weights)))


def periodic_basis(orders: Iterable[int], accuracy: int, axis: GridAxis, acts: bool = False) -> Basis:
    """The discrete Fourier basis and the symbols of the centred stencils; `acts` where an operator that has
    a symbol of its own acts along the axis."""
    theta = 2 * np.pi * np.fft.fftfreq(axis.n)
    spectra: dict[int, Spectrum] = {}
    for m in orders:
        symbol = centred_symbol(m, accuracy, theta) / axis.spacing**m
        spectra[m] = symbol.real if m % 2 == 0 else symbol
    if acts and not spectra:
        spectra[2] = centred_symbol(2, 2, theta).real / axis.spacing**2
    return Basis(True, bool(spectra), None, None, spectra, True)


def waves_basis(
    kind: trigonometric.Kind,
    orders: Iterable[int],
    accuracy: int,
    axis: GridAxis,
    exact: bool,
    acts: bool = False,
) -> Basis:
    """Sines or cosines, with the symbols of the centred stencils of even order; odd ones are not diagonal.

    `acts`: see `periodic_basis`.
    """
    theta = trigonometric.angles(kind, axis.n)
    even = [m for m in orders if m % 2 == 0] or ([2] if acts else [])
    spectra: dict[int, Spectrum] = {
        m: centred_symbol(m, accuracy, theta).real / axis.spacing**m for m in even
    }
    return Basis(False, bool(even), None, None, spectra, exact, kind if even else None)


def mirrored(walls: tuple[Wall, Wall], orders: Iterable[int], accuracy: int) -> bool:
    """Whether the stencils read mirror images beyond both walls, so that sines or cosines are exact.

    True of second derivatives of order 2 between walls with a value or a slope.
    """
    if accuracy != 2 or set(orders) != {2}:
        return False
    for wall in walls:
        slope = len(wall.conditions) == 1 and [t.order for t in wall.conditions[0].terms] == [1]
        if wall.degree != 2 or not (slope != wall.held and len(wall.conditions) == int(slope)):
            return False
    return True


def bounded_basis(matrices: Mapping[int, Matrix]) -> Basis:
    """Eigenvectors of the highest even derivative; the others are projected on them.

    Inexact when some other operator is not diagonal there, or when the eigenvectors are too
    ill-conditioned to be used.
    """
    even = [m for m in matrices if m % 2 == 0]
    if not even:
        return Basis(False, False, None, None, {}, not matrices)
    leading = max(even)
    values, vectors, inverse = _eigen(matrices[leading])
    if np.linalg.norm(vectors, 1) * np.linalg.norm(inverse, 1) > ILL_CONDITIONED:
        return Basis(False, False, None, None, {}, False)
    spectra: dict[int, Spectrum] = {leading: values}
    exact = True
    for m, matrix in matrices.items():
        if m == leading:
            continue
        projected = inverse @ matrix @ vectors
        diagonal = np.diagonal(projected).copy()
        rest = projected - np.diag(diagonal)
        exact = exact and bool(np.abs(rest).max() <= COMMUTING * max(np.abs(diagonal).max(), 1e-300))
        spectra[m] = diagonal
    return Basis(False, True, inverse, vectors, spectra, exact)


def _eigen(matrix: Matrix) -> tuple[Spectrum, Spectrum, Spectrum]:
    """Eigenvalues, eigenvectors, and the eigenvectors' inverse."""
    values: Spectrum
    scale = _symmetrising(matrix)
    if scale is not None:
        symmetric = matrix * scale[None, :] / scale[:, None]
        diagonal, side = np.diagonal(symmetric).copy(), np.diagonal(symmetric, 1).copy()
        banded = np.count_nonzero(np.triu(np.abs(symmetric), 2)) == 0
        values, q = (
            scipy.linalg.eigh_tridiagonal(diagonal, side)
            if banded and len(diagonal) > 1
            else np.linalg.eigh((symmetric + symmetric.T) / 2)
        )
        return values, scale[:, None] * q, q.T / scale[None, :]
    if np.abs(matrix - matrix[::-1, ::-1]).max() <= ROUNDING * np.abs(matrix).max():
        return _eigen_of_halves(matrix)
    return _general_eigen(matrix)


def _general_eigen(matrix: Matrix) -> tuple[Spectrum, Spectrum, Spectrum]:
    values: Spectrum
    vectors: Spectrum
    values, vectors = np.linalg.eig(matrix)
    if np.abs(values.imag).max() <= 1e-12 * np.abs(values).max():
        # A pair split by rounding spans the plane of its real and imaginary parts.
        vectors = np.where(values.imag < 0, vectors.imag, vectors.real)
        values = values.real
    inverse: Spectrum = np.linalg.inv(vectors)
    return values, vectors, inverse


def _eigen_of_halves(matrix: Matrix) -> tuple[Spectrum, Spectrum, Spectrum]:
    """The same for an operator with the same conditions at both walls, which mirroring leaves alone.

    Even and odd functions do not mix, so two problems of half the size stand for one: a quarter of the
    work (A. Cantoni, P. Butler, Linear Algebra Appl. 13 (1976) 275-288).
    """
    n = len(matrix)
    half = n // 2
    identity = np.eye(half)
    middle = np.zeros((half, n - 2 * half))
    even = np.block(
        [[identity, middle], [middle.T, np.sqrt(2) * np.eye(n - 2 * half)], [identity[::-1], middle]]
    )
    odd = np.vstack([identity, np.zeros((n - 2 * half, half)), -identity[::-1]])
    parts = [q / np.sqrt(2) for q in (even, odd)]
    found = [_general_eigen(q.T @ matrix @ q) for q in parts]
    values = np.concatenate([f[0] for f in found])
    vectors = np.hstack([q @ f[1] for q, f in zip(parts, found, strict=True)])
    inverse = np.vstack([f[2] @ q.T for q, f in zip(parts, found, strict=True)])
    return values, vectors, inverse


def _symmetrising(matrix: Matrix) -> NDArray[np.float64] | None:
    """The positive s with matrix·diag(s) similar to a symmetric matrix by s, where one exists.

    Found along the first off-diagonals: order-2 operators with reflected walls are of this kind.
    """
    n = len(matrix)
    upper, lower = np.diagonal(matrix, 1), np.diagonal(matrix, -1)
    if n == 1 or np.any(upper * lower <= 0):
        return None
    scale = np.concatenate([[1.0], np.cumprod(np.sqrt(lower / upper))])
    symmetric = matrix * scale[None, :] / scale[:, None]
    if np.abs(symmetric - symmetric.T).max() > 1e-12 * np.abs(matrix).max():
        return None
    return scale


def leaky_basis(
    accuracy: int, axis: GridAxis, walls: tuple[Wall, Wall], numbers: Sequence[Numbers], inner: slice
) -> Basis:
    """The eigenvectors of a second derivative between walls of which one at least has a Robin condition, the
    flattest first: for powers of it, whose equation may read nothing beyond the walls."""

    def closed(wall: Wall) -> Wall:
        degree = closure_degree(accuracy, 2, wall.held, wall.conditions, "diffusive")
        return replace(wall, halo=radius(2, accuracy) - int(wall.held), degree=degree)

    pair = closed(walls[0]), closed(walls[1])
    found = bounded_basis({2: derivative_matrix(2, accuracy, axis, pair, numbers)[inner, inner]})
    if found.forward is None or found.backward is None:
        return found
    by_size = np.argsort(np.abs(found.spectra[2]))
    return replace(
        found,
        forward=found.forward[by_size],
        backward=found.backward[:, by_size],
        spectra={2: found.spectra[2][by_size]},
    )
