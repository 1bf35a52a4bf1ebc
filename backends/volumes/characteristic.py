"""Traces of characteristic variables: fields of different waves are reconstructed apart.

Harten, Engquist, Osher, Chakravarthy, J. Comput. Phys. 71 (1987) 231: the cells around a face are taken
into the eigenvectors of the flux Jacobian in the mean state there, so that a jump of one wave leaves the
others smooth.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.branches import apart
from nablax.backends.lowering import Environment, evaluate
from nablax.backends.volumes.reconstruction import at_faces
from nablax.backends.volumes.riemann import root
from nablax.planning.eigenvectors import Eigenbasis, Speed

SLACK = {"float64": 1e-6, "float32": 1e-2}
"""By which left and right eigenvectors may miss being each other's inverse."""


def characteristic_traces(
    cells: Array, axis: int, ghosts: int, order: int, basis: Eigenbasis, around: Environment, sound: Array
) -> tuple[Array, Array]:
    """States of a block left and right of every face: its members stacked, shape (members, ...) with n + 1
    faces along `axis` (of `cells`) for n cells.

    `cells` are all unknowns, stacked, with `ghosts` cells beyond either end of the axis. `around` holds the
    mean states at the faces, their coordinates, time and parameters; `sound` is true and not known to XLA.
    """
    n = cells.shape[axis] - 2 * ghosts
    shape = (*cells.shape[1:axis], n + 1, *cells.shape[axis + 1 :])
    reach = 3 if order > 2 else 2
    first = ghosts - reach
    own = jnp.stack([cells[i] for i in basis.members])
    near = jnp.stack(
        [lax.slice_in_dim(own, k, k + n + 1, axis=axis) for k in range(first, first + 2 * reach)]
    )

    # Merged into what reads them, all of these are computed again for every cell of a stencil.
    left, right = eigenvectors(basis, around, shape, cells.dtype, sound)
    waves = apart(sound, _projected, left, near)
    upper, lower = apart(sound, lambda waves: at_faces(list(waves), order), waves)
    both = apart(sound, _projected, right, jnp.stack([upper, lower]))
    return both[0], both[1]


def _projected(matrix: Array, vectors: Array) -> Array:
    """matrix[i, j] vectors[:, j], summed over j: written out, since XLA sums few terms slowly."""
    return sum(
        (matrix[None, :, j] * vectors[:, None, j] for j in range(1, matrix.shape[1])),
        start=matrix[None, :, 0] * vectors[:, None, 0],
    )


def eigenvectors(
    basis: Eigenbasis, around: Environment, shape: tuple[int, ...], dtype: jnp.dtype, sound: Array
) -> tuple[Array, Array]:
    """(L, R) of shape (members, members, *shape) with L A R diagonal and R L = I: left eigenvectors as rows,
    right ones as columns.

    Unit matrices where speeds meet, or where the entries that eigenvectors are scaled by vanish.
    """
    size = len(basis.members)
    owner = [k for k, s in enumerate(basis.speeds) for _ in s.rows]  # of every eigenvector
    matrix, speeds = apart(sound, lambda: jacobian(basis, around, shape, dtype))
    both = jnp.stack([matrix, jnp.swapaxes(matrix, 0, 1)])
    picked = [[i for s in basis.speeds for i in s.rows], [j for s in basis.speeds for j in s.columns]]
    start = np.eye(size)[np.array(picked)].reshape(2, size, size, *(1,) * len(shape))
    found = jnp.broadcast_to(jnp.asarray(start, dtype), both.shape)
    scales = jnp.ones((size, *shape), dtype)
    for step in range(len(basis.speeds) - 1):
        shifts = jnp.stack([speeds[step + (step >= k)] for k in owner])
        found = apart(sound, _times_shifted, found, both, shifts)
        scales = scales * (jnp.stack([speeds[k] for k in owner]) - shifts)
    left, right = apart(
        sound, lambda f, scales: (f[0] / _safe(scales)[:, None], _scaled(basis.speeds, *f)), found, scales
    )
    slack = SLACK[jnp.dtype(dtype).name]
    good = apart(sound, lambda a, b: _inverse_of_each_other(a, b, slack), left, right)
    unit = jnp.asarray(np.eye(size).reshape(size, size, *(1,) * len(shape)), dtype)
    good = good[None, None]
    return jnp.where(good, left, unit), jnp.where(good, jnp.swapaxes(right, 0, 1), unit)


def jacobian(
    basis: Eigenbasis, around: Environment, shape: tuple[int, ...], dtype: jnp.dtype
) -> tuple[Array, Array]:
    """∂F/∂U of shape (members, members, *shape) and the distinct speeds, (speeds, *shape)."""
    size = len(basis.members)
    waves = list(dict.fromkeys(s.wave for s in basis.speeds))
    flat: list[sp.Expr] = [e for row in basis.jacobian for e in row]
    flat += [e for w in waves for e in (w.centre, w.square)]
    found = [jnp.broadcast_to(jnp.asarray(v, dtype), shape) for v in evaluate(flat, around)]
    pairs = dict(
        zip(waves, zip(found[size * size :: 2], found[size * size + 1 :: 2], strict=True), strict=True)
    )
    speeds = [pairs[s.wave][0] + (s.sign * root(pairs[s.wave][1]) if s.sign else 0.0) for s in basis.speeds]
    return jnp.stack(found[: size * size]).reshape(size, size, *shape), jnp.stack(speeds)


def _times_shifted(found: Array, both: Array, shifts: Array) -> Array:
    """Rows times (matrix - shift), of the matrix and of its transpose."""
    size = both.shape[1]
    total = -shifts[None, :, None] * found
    for j in range(size):
        total = total + found[:, :, j, None] * both[:, None, j]
    return total


def _inverse_of_each_other(left: Array, right: Array, slack: float) -> Array:
    good = jnp.asarray(True)
    for a, b in zip(left, right, strict=True):
        good = good & (jnp.abs(sum((a[j] * b[j] for j in range(1, len(a))), start=a[0] * b[0]) - 1) < slack)
    return good


def _scaled(speeds: Sequence[Speed], rows: Array, columns: Array) -> Array:
    """Right eigenvectors, as rows, that are the inverse of the left ones within every speed."""
    found, start = [], 0
    for speed in speeds:
        stop = start + len(speed.rows)
        pivots = [[rows[i, j] for j in speed.columns] for i in range(start, stop)]
        found.append(_combined(_inverse(pivots), columns[start:stop]))
        start = stop
    return jnp.concatenate(found)


def _combined(mix: Sequence[Sequence[Array]], columns: Array) -> Array:
    """Σ_i columns[i] mix[i][k][None] for every k."""
    count = len(mix)
    return jnp.stack(
        [
            sum((columns[i] * mix[i][k][None] for i in range(1, count)), start=columns[0] * mix[0][k][None])
            for k in range(count)
        ]
    )


def _inverse(matrix: Sequence[Sequence[Array]]) -> list[list[Array]]:
    """Of one to three rows, by cofactors."""
    size = len(matrix)
    if size == 1:
        return [[1 / _safe(matrix[0][0])]]
    adjugate = [
        [
            (-1.0) ** (i + j)
            * _determinant([[matrix[r][c] for c in range(size) if c != i] for r in range(size) if r != j])
            for j in range(size)
        ]
        for i in range(size)
    ]
    determinant = _safe(
        sum((matrix[0][j] * adjugate[j][0] for j in range(1, size)), start=matrix[0][0] * adjugate[0][0])
    )
    return [[a / determinant for a in row] for row in adjugate]


def _determinant(matrix: Sequence[Sequence[Array]]) -> Array:
    if len(matrix) == 1:
        return matrix[0][0]
    (a, b), (c, d) = matrix
    return a * d - b * c


def _safe(divisor: Array) -> Array:
    """1 in place of 0, so that what is not used has a derivative."""
    return jnp.where(divisor == 0, jnp.ones_like(divisor), divisor)
