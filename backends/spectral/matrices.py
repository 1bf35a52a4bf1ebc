"""Small matrices per mode, with entries known to vanish left out.

An entry is a number or an array over modes; the number 0 is a structural zero, so that unknowns that do
not couple never meet in the arithmetic.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.lowering import Operand, alike
from nablax.backends.spectral.layout import Layout
from nablax.backends.spectral.symbols import add, as_array, multiply, negative

Matrix = tuple[tuple[Operand, ...], ...]


def vanishes(entry: Operand) -> bool:
    """Structurally zero."""
    return not isinstance(entry, Array) and entry == 0


def product(a: Matrix, b: Matrix) -> Matrix:
    """a · b; `b` may not be empty unless `a` has no columns."""
    width = len(b[0]) if b else 0
    return tuple(tuple(_dot(row, [b[k][j] for k in range(len(b))]) for j in range(width)) for row in a)


def _dot(row: Sequence[Operand], column: Sequence[Operand]) -> Operand:
    total: Operand = 0.0
    for x, y in zip(row, column, strict=True):
        total = add(total, multiply(x, y))
    return total


def minus(a: Matrix, b: Matrix) -> Matrix:
    """a - b."""
    return tuple(
        tuple(add(x, negative(y)) for x, y in zip(p, q, strict=True)) for p, q in zip(a, b, strict=True)
    )


def blocks(a: Matrix) -> tuple[tuple[int, ...], ...]:
    """Index sets that no non-zero entry of a square matrix joins, in order of their first member."""
    group = list(range(len(a)))
    for i, row in enumerate(a):
        for j, entry in enumerate(row):
            if i != j and not vanishes(entry) and group[i] != group[j]:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if g == old else g for g in group]
    return tuple(tuple(i for i, g in enumerate(group) if g == first) for first in sorted(set(group)))


def stacked(a: Matrix, rows: Sequence[int], columns: Sequence[int], layout: Layout) -> Array:
    """The entries as one array [rows, columns, modes...], complex if one of them is."""
    entries = [as_array(a[i][j], layout) for i in rows for j in columns]
    mixed = any(jnp.iscomplexobj(e) for e in entries)
    dtype = layout.complex_precision if mixed else layout.precision
    shape = jnp.broadcast_shapes(*(e.shape for e in entries))
    stack = jnp.stack([jnp.broadcast_to(e, shape).astype(dtype) for e in entries])
    return stack.reshape((len(rows), len(columns), *shape))


def pseudo_inverse(a: Matrix, layout: Layout) -> Matrix:
    """The inverse of a square matrix per mode; a direction the matrix does not see maps to zero.

    That is what fixes the free constant of a pressure or a potential: its mean is zero. Blocks of one
    are reciprocals; larger ones go through Gauss–Jordan elimination with row pivoting.
    """
    n = len(a)
    result: list[list[Operand]] = [[0.0] * n for _ in range(n)]
    for rows, columns in _matched_blocks(a):
        if len(rows) == 1:
            result[columns[0]][rows[0]] = reciprocal(a[rows[0]][columns[0]])
            continue
        entries = stacked(a, rows, columns, layout)
        identity = jnp.eye(len(rows), dtype=entries.dtype)
        right = jnp.broadcast_to(
            identity.reshape((len(rows), len(rows)) + (1,) * (entries.ndim - 2)), entries.shape
        )
        solution = solve(entries, right)
        for p, column in enumerate(columns):
            for q, row in enumerate(rows):
                result[column][row] = solution[p, q]
    return tuple(tuple(row) for row in result)


def _matched_blocks(a: Matrix) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    # Rows and columns are different things here (constraints and multipliers): join them as a graph.
    n = len(a)
    size = 2 * n
    graph: list[list[Operand]] = [[0.0] * size for _ in range(size)]
    for i in range(n):
        for j in range(n):
            graph[i][n + j] = graph[n + j][i] = 0.0 if vanishes(a[i][j]) else 1.0
    found = []
    for block in blocks(tuple(tuple(row) for row in graph)):
        rows = tuple(i for i in block if i < n)
        columns = tuple(j - n for j in block if j >= n)
        if len(rows) == len(columns):
            found.append((rows, columns))
        else:
            raise ValueError("a singular system: as many rows as columns are needed in every block")
    return found


def reciprocal(entry: Operand) -> Operand:
    """1 / entry, and 0 where the entry is 0."""
    if not isinstance(entry, Array):
        return 1 / entry if entry != 0 else 0.0
    zero = entry == 0
    one = jnp.ones((), entry.dtype)
    return jnp.where(zero, one - one, one / jnp.where(zero, one, entry))


def solve(a: Array, right: Array) -> Array:
    """a⁻¹ right per mode for `a` [n, n, modes...] and `right` [n, m, modes...]; null directions give 0.

    Gauss–Jordan elimination with row pivoting. Linear in `right`, and can be transposed as such.
    """
    n, m = right.shape[:2]
    modes = jnp.broadcast_shapes(a.shape[2:], right.shape[2:])
    work, columns = alike(jnp.broadcast_to(a, (n, n, *modes)), jnp.broadcast_to(right, (n, m, *modes)))
    assert isinstance(work, Array)
    assert isinstance(columns, Array)
    small = jnp.max(jnp.abs(work), axis=0) * (4 * n * float(np.finfo(work.dtype).eps))
    used = jnp.zeros((n, *modes), bool)
    pivots = []
    rows = jnp.arange(n).reshape((n,) + (1,) * len(modes))
    for column in range(n):
        size = jnp.where(used, -1.0, jnp.abs(work[:, column]))
        best = jnp.argmax(size, axis=0)
        regular = jnp.max(size, axis=0) > small[column]
        chosen = (rows == best[None]) & regular[None]
        pick = chosen.astype(work.dtype)
        pivot = jnp.where(regular, jnp.sum(pick * work[:, column], axis=0), jnp.ones((), work.dtype))
        factor = jnp.where(chosen | ~regular[None], jnp.zeros((), work.dtype), work[:, column])
        work, columns = (_eliminated(part, pick, pivot, factor, chosen) for part in (work, columns))
        used = used | chosen
        pivots.append(pick)
    # Row `chosen` of column j now holds unknown j.
    return jnp.stack([jnp.sum(pick[:, None] * columns, axis=0) for pick in pivots])


def _eliminated(part: Array, pick: Array, pivot: Array, factor: Array, chosen: Array) -> Array:
    """The chosen row over its pivot, and multiples of it taken from the others; linear in `part`."""
    row = jnp.sum(pick[:, None] * part, axis=0) / pivot[None]
    return jnp.where(chosen[:, None], row[None], part - factor[:, None] * row[None])
