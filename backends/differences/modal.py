"""Linear operators by fast diagonalisation: one-dimensional parts diagonalised once, when a scheme is built.

On a box, a sum of products of one-dimensional operators is diagonal in the product of their eigenvectors
(R. E. Lynch, J. R. Rice, D. H. Thomas, Numer. Math. 6 (1964) 185-199). Periodic axes take the FFT and the
stencils' symbols. Between walls, sines and cosines are the eigenvectors where the stencil meets nothing but
mirror images; other closures have a dense eigenvector matrix, from NumPy in float64. Coupled unknowns leave
a small matrix per mode, eliminated pointwise. Where the operator is not of that form, and on axes too long
for a dense matrix, the same solve with averaged coefficients, and sines or cosines that miss the closures
only, is a preconditioner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends import krylov
from nablax.backends.differences import radial, trigonometric
from nablax.backends.differences.bases import (
    DENSE,
    Numbers,
    bounded_basis,
    derivative_matrix,
    leaky_basis,
    mirrored,
    periodic_basis,
    waves_basis,
)
from nablax.backends.differences.contraction import complex_dtype
from nablax.backends.differences.kernels import plus, times
from nablax.backends.differences.layout import Place
from nablax.backends.differences.modes import Basis, Group, Lines, backward, forward, halved, last
from nablax.backends.differences.operators import Operator
from nablax.backends.differences.walls import Matrix, has_leak
from nablax.backends.interface import Vector
from nablax.backends.lowering import Operand
from nablax.backends.spectral.matrices import solve as solve_blocks
from nablax.plan import Plan
from nablax.system import Orders

Spectra = Sequence[Mapping[int, Array]]
DENSE_ONCE = 256  # cells up to which they pay in one solve


@dataclass(frozen=True, slots=True)
class Coupling:
    """A term of a linear operator by its place: D^orders of `unknown`, or a nonlocal operator of it, in the
    equation of `equation`."""

    equation: int
    unknown: int
    orders: Orders
    operator: Operator | None = None


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
    lines: Lines | None = None
    for k, axis in enumerate(plan.grid):
        if axis.folded:
            lines = _lines(plan, places, couplings, numbers, k, slice(*region[k]))
            exact = exact and all(known[c.unknown, k] for c in couplings if c.orders[k])
            bases.append(Basis(False, False, None, None, {}, True))
            continue
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
        leaky = [c.unknown for c in acting if has_leak(places[c.unknown].walls[k])]
        if leaky and not orders and axis.n <= DENSE:
            found = places[leaky[0]].walls[k]
            assert found is not None
            values = [numbers[leaky[0], k, side] for side in (0, 1)]
            bases.append(leaky_basis(plan.order, axis, found, values, slice(*region[k])))
            continue
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
    return Group(members, region, tuple(bases), exact, lines)


def _lines(
    plan: Plan,
    places: Sequence[Place],
    couplings: Sequence[Coupling],
    numbers: Mapping[tuple[int, int, int], Numbers],
    k: int,
    inner: slice,
) -> Lines:
    """The matrices along an axis that begins at a centre, for both ways to go through it."""
    found: dict[tuple[int, int], tuple[Matrix, Matrix]] = {}
    turn = None
    for unknown, order in sorted({(c.unknown, c.orders[k]) for c in couplings if c.orders[k]}):
        pair = places[unknown].walls[k]
        assert pair is not None
        turn = pair[0].turn
        values = [numbers[unknown, k, side] for side in (0, 1)]
        ways = [pair[0], replace(pair[0], mirror=-pair[0].mirror)]
        even, odd = (
            derivative_matrix(order, plan.order, plan.grid[k], (way, pair[1]), values)[inner, inner]
            for way in ways
        )
        found[unknown, order] = (even, odd)
    return Lines(k, turn, found)


def inverse(
    group: Group,
    coefficients: Sequence[tuple[Coupling, Operand]],
    dtype: jnp.dtype,
    real: bool,
    identity: float = 0.0,
    anchors: Mapping[int, Operand] | None = None,
) -> krylov.Operator:
    """`solve` for many right sides; `real` where all members are.

    Coefficients may vary along the axis of `group.lines`.
    """
    if group.lines is None:
        return lambda right: solve(group, coefficients, right, dtype, identity, anchors)
    half = is_half(group, real)
    spectra = spectra_of(group, half, dtype)
    terms: list[radial.Term] = []
    for coupling, coefficient in coefficients:
        orders = tuple(0 if k == group.lines.axis else m for k, m in enumerate(coupling.orders))
        value = symbol(group, replace(coupling, orders=orders), coefficient, spectra, half)
        if value is not None:
            terms.append((coupling.equation, coupling.unknown, coupling.orders, value))
    modes = tuple(
        (b - a) // 2 + 1 if half and k == last(group) else b - a for k, (a, b) in enumerate(group.region)
    )
    return radial.inverse(group, group.lines, terms, modes, dtype, half, identity, anchors or {})


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
    half = is_half(group, real)
    shape = tuple(b - a for a, b in group.region)
    spectra = spectra_of(group, half, dtype)
    position = {u: i for i, u in enumerate(group.members)}
    count = len(group.members)
    matrix: list[list[Operand | None]] = [[None] * count for _ in range(count)]

    def add(i: int, j: int, value: Operand) -> None:
        entry = matrix[i][j]
        matrix[i][j] = value if entry is None else plus(entry, value)

    for i in range(count if identity else 0):
        add(i, i, identity)
    for coupling, coefficient in coefficients:
        value = symbol(group, coupling, coefficient, spectra, half)
        if value is not None:
            add(position[coupling.equation], position[coupling.unknown], value)
    hats = [forward(group, r, half, dtype) for r in right]
    for unknown, value in (anchors or {}).items():
        i = position[unknown]
        add(i, i, times(value, _constant_mode(group, hats[i].shape, dtype)))
    solved = _eliminate(matrix, hats) if identity or count == 1 else _pivoted(matrix, hats)
    return tuple(backward(group, hat, shape, half, dtype, real) for hat in solved)


def is_half(group: Group, real: bool) -> bool:
    """Whether half of the modes stand for all, those of a real array."""
    return real and not any(b.forward is not None and np.iscomplexobj(b.forward) for b in group.bases)


def spectra_of(group: Group, half: bool, dtype: jnp.dtype) -> Spectra:
    """Per axis the derivatives in its basis, by order, shaped for the modes."""
    dimensions = len(group.region)
    return [_spectra(b, k, dimensions, half and k == last(group), dtype) for k, b in enumerate(group.bases)]


def symbol(
    group: Group, coupling: Coupling, coefficient: Operand, spectra: Spectra, half: bool
) -> Operand | None:
    """A term with a constant coefficient (times its operator's eigenvalues) in the modes; None where the
    bases do not represent it, which is left to an iteration."""
    value = coefficient
    if coupling.operator is not None:
        value = halved(group, jnp.asarray(coefficient), half)
    for k, m in enumerate(coupling.orders):
        if m:
            if m not in spectra[k]:
                return None
            value = times(value, spectra[k][m])
    return value


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
    for m, values in (basis.symbols or basis.spectra).items():
        values = values[: values.shape[0] // 2 + 1] if half else values
        shape = tuple(values.shape[0] if j == axis else 1 for j in range(dimensions))
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
