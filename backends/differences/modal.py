"""Linear operators by fast diagonalisation: one-dimensional parts diagonalised once, when a scheme is built.

On a box, a sum of products of one-dimensional operators is diagonal in the product of their eigenvectors
(R. E. Lynch, J. R. Rice, D. H. Thomas, Numer. Math. 6 (1964) 185-199). Periodic axes take the FFT and the
stencils' symbols. Between walls, sines and cosines are the eigenvectors where the stencil meets nothing but
mirror images; other closures have a dense eigenvector matrix, from NumPy in float64. Coupled unknowns leave
a small matrix per mode, eliminated pointwise. Where the operator is not of that form, and on axes too long
for a dense matrix, the same solve with averaged coefficients, and sines or cosines that miss the closures
only, is a preconditioner.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import Array
from numpy.typing import NDArray

from nablax.backends.differences import trigonometric
from nablax.backends.differences.contraction import complex_dtype
from nablax.backends.differences.kernels import plus, times
from nablax.backends.differences.layout import Place
from nablax.backends.differences.modes import Basis, Group, Spectrum, backward, forward, halved, last
from nablax.backends.differences.operators import Operator
from nablax.backends.differences.walls import Matrix, Wall, closure
from nablax.backends.interface import Vector
from nablax.backends.lowering import Operand
from nablax.backends.spectral.matrices import solve as solve_blocks
from nablax.plan import GridAxis, Plan
from nablax.stencils import centred, centred_symbol, radius
from nablax.system import Orders

COMMUTING = 1e-9  # relative size of off-diagonal entries that counts as rounding
ROUNDING = 1e-12  # relative difference from its mirror image that counts as none
ILL_CONDITIONED = 1e8  # of an eigenvector matrix, beyond which it is not used
DENSE = 1000  # cells up to which the eigenvectors of a closure pay in a run of many steps
DENSE_ONCE = 256  # cells up to which they pay in one solve


@dataclass(frozen=True, slots=True)
class Coupling:
    """A term of a linear operator by its place: D^orders of `unknown`, or a nonlocal operator of it, in the
    equation of `equation`."""

    equation: int
    unknown: int
    orders: Orders
    operator: Operator | None = None


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


def groups(
    plan: Plan,
    places: Sequence[Place],
    couplings: Sequence[Coupling],
    numbers: Mapping[tuple[int, int, int], Numbers],
    known: Mapping[tuple[int, int], bool],
    dense: int = DENSE,
) -> tuple[Group, ...]:
    """Unknowns sorted by coupling, each group with its bases. Longer axes than `dense` take no matrix.

    `numbers[unknown, axis, side]` are the numbers taken for the coefficients of the wall conditions;
    `known[unknown, axis]` tells whether they are exact. Coupled unknowns that do not share one basis are
    split, and the groups inexact.
    """
    result: list[Group] = []
    for members in _components(len(places), couplings):
        mine = [c for c in couplings if c.equation in members]
        group = _group(plan, places, members, mine, numbers, known, dense)
        if group is None:
            for u in members:
                alone = [c for c in mine if c.equation == c.unknown == u]
                single = _group(plan, places, (u,), alone, numbers, known, dense)
                assert single is not None
                result.append(Group((u,), single.region, single.bases, False))
        else:
            result.append(group)
    return tuple(result)


def _components(count: int, couplings: Sequence[Coupling]) -> list[tuple[int, ...]]:
    label = list(range(count))
    for c in couplings:
        a, b = label[c.equation], label[c.unknown]
        label = [a if x == b else x for x in label]
    return [tuple(u for u in range(count) if label[u] == x) for x in dict.fromkeys(label)]


def _group(
    plan: Plan,
    places: Sequence[Place],
    members: tuple[int, ...],
    couplings: Sequence[Coupling],
    numbers: Mapping[tuple[int, int, int], Numbers],
    known: Mapping[tuple[int, int], bool],
    dense: int,
) -> Group | None:
    """A group with one basis per axis, or None where its members need different ones."""
    region = places[members[0]].evolving
    if any(places[u].evolving != region for u in members):
        return None
    bases: list[Basis] = []
    exact = True
    for k, axis in enumerate(plan.grid):
        orders = sorted({c.orders[k] for c in couplings} - {0})
        acting = [c for c in couplings if c.operator is not None and k in c.operator.axes]
        exact = exact and all(c.operator is not None and c.operator.diagonal for c in acting)
        if axis.periodic:
            bases.append(periodic_basis(orders, plan.order, axis, acts=bool(acting)))
            continue
        between = [
            w
            for c in couplings
            if (c.orders[k] or c in acting) and (w := places[c.unknown].walls[k]) is not None
        ]
        kinds = {trigonometric.kind_of((w[0].held, w[1].held)) for w in between}
        if len(kinds) > 1:
            return None
        plain = not orders or all(mirrored(w, orders, plan.order) for w in between)
        if kinds and (plain or acting or axis.n > dense):
            bases.append(waves_basis(kinds.pop(), orders, plan.order, axis, plain, acts=bool(acting)))
            exact = exact and plain
            continue
        matrices: dict[int, Matrix] = {}
        inner = slice(*region[k])
        for c in couplings:
            m = c.orders[k]
            walls = places[c.unknown].walls[k]
            if m == 0 or walls is None:
                continue
            values = [numbers[c.unknown, k, side] for side in (0, 1)]
            matrix = derivative_matrix(m, plan.order, axis, walls, values)[inner, inner]
            if m in matrices and not np.allclose(
                matrices[m], matrix, rtol=0, atol=1e-12 * np.abs(matrix).max()
            ):
                return None
            matrices[m] = matrix
            exact = exact and known[c.unknown, k]
        basis = bounded_basis(matrices)
        exact = exact and basis.exact
        bases.append(basis)
    return Group(members, region, tuple(bases), exact)


def solve(
    group: Group,
    coefficients: Sequence[tuple[Coupling, Operand]],
    right: Vector,
    dtype: jnp.dtype,
    identity: float = 0.0,
    anchors: Mapping[int, Operand] | None = None,
) -> Vector:
    """(identity + Σ coefficient·D^orders)⁻¹ right on the evolving nodes of the group's members.

    `right` holds one array per member. `anchors` adds a number to the constant mode of a member, whose
    operator would be singular there. Several unknowns: Gaussian elimination without pivoting beside an
    identity (stable for operators without growing modes), with pivoting without one.
    """
    real = not any(jnp.iscomplexobj(r) for r in right)
    half = real and not any(b.forward is not None and np.iscomplexobj(b.forward) for b in group.bases)
    shape = tuple(b - a for a, b in group.region)
    spectra = [
        _spectra(b, k, len(shape), half and k == last(group), dtype) for k, b in enumerate(group.bases)
    ]
    position = {u: i for i, u in enumerate(group.members)}
    count = len(group.members)
    matrix: list[list[Operand | None]] = [[None] * count for _ in range(count)]

    def add(i: int, j: int, value: Operand) -> None:
        entry = matrix[i][j]
        matrix[i][j] = value if entry is None else plus(entry, value)

    for i in range(count if identity else 0):
        add(i, i, identity)
    for coupling, coefficient in coefficients:
        symbol: Operand = coefficient
        if coupling.operator is not None:
            symbol = halved(group, jnp.asarray(coefficient), half)
        for k, m in enumerate(coupling.orders):
            if m:
                if m not in spectra[k]:
                    break  # not represented in this basis: left to the iteration
                symbol = times(symbol, spectra[k][m])
        else:
            add(position[coupling.equation], position[coupling.unknown], symbol)
    hats = [forward(group, r, half, dtype) for r in right]
    for unknown, value in (anchors or {}).items():
        i = position[unknown]
        add(i, i, times(value, _constant_mode(group, hats[i].shape, dtype)))
    solved = _eliminate(matrix, hats) if identity or count == 1 else _pivoted(matrix, hats)
    return tuple(backward(group, hat, shape, half, dtype, real) for hat in solved)


def _constant_mode(group: Group, shape: tuple[int, ...], dtype: jnp.dtype) -> Array:
    """1 at the constant mode, 0 at all others."""
    found = jnp.ones((), dtype)
    for k, basis in enumerate(group.bases):
        index = jnp.arange(shape[k]).reshape([-1 if j == k else 1 for j in range(len(shape))])
        found = found * (index == basis.flattest).astype(dtype)
    return found


def _pivoted(matrix: list[list[Operand | None]], right: list[Array]) -> list[Array]:
    """Gauss–Jordan elimination with row pivoting in every mode; null directions give 0."""
    shape = right[0].shape
    entries = [jnp.asarray(0.0 if e is None else e) for row in matrix for e in row]
    kind = jnp.result_type(*(a.dtype for a in (*entries, *right)))
    stack = jnp.stack([jnp.broadcast_to(e.astype(kind), shape) for e in entries])
    columns = jnp.stack([r.astype(kind) for r in right])[:, None]
    found = solve_blocks(stack.reshape((len(matrix), len(matrix), *shape)), columns)[:, 0]
    return list(found)


def _spectra(basis: Basis, axis: int, dimensions: int, half: bool, dtype: jnp.dtype) -> Mapping[int, Array]:
    result = {}
    for m, values in basis.spectra.items():
        values = values[: len(values) // 2 + 1] if half else values
        shape = tuple(len(values) if j == axis else 1 for j in range(dimensions))
        kind = complex_dtype(dtype) if np.iscomplexobj(values) else dtype
        result[m] = jnp.asarray(values.reshape(shape), kind)
    return result


def _eliminate(matrix: list[list[Operand | None]], right: list[Array]) -> list[Array]:
    """Pointwise Gaussian elimination; None is a structural zero."""
    count = len(right)
    values: list[Operand] = list(right)
    for p in range(count):
        pivot = matrix[p][p]
        assert pivot is not None
        for i in range(p + 1, count):
            entry = matrix[i][p]
            if entry is None:
                continue
            factor = times(entry, 1.0 / pivot)
            for j in range(p + 1, count):
                above = matrix[p][j]
                if above is None:
                    continue
                change = times(-1.0, times(factor, above))
                below = matrix[i][j]
                matrix[i][j] = change if below is None else plus(below, change)
            values[i] = plus(values[i], times(-1.0, times(factor, values[p])))
    for p in reversed(range(count)):
        for j in range(p + 1, count):
            entry = matrix[p][j]
            if entry is not None:
                values[p] = plus(values[p], times(-1.0, times(entry, values[j])))
        pivot = matrix[p][p]
        assert pivot is not None
        values[p] = times(values[p], 1.0 / pivot)
    return [jnp.asarray(v) for v in values]
