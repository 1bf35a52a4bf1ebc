"""Values of coefficient functions that are given on the grid, at any places."""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.grid_functions import GridData
from nablax.plan import GridAxis

NEAR = 1e-9  # cells: a place this near to a node is at it
Places = Any
"""An array of NumPy or of JAX."""


def looked_up(data: GridData, values: Array, places: Sequence[Array | float | complex]) -> Array:
    """The polynomials through the nearest nodes, or their derivatives, at places that broadcast.

    Where the places are known while a program is traced, weights are made on the host, and values on the
    nodes are taken as they are.
    """
    if not any(isinstance(p, jax.core.Tracer) for p in places):
        known = [np.asarray(p, np.float64) for p in places]
        if all(p.ndim == 0 or (p.ndim == len(known) and p.size == p.shape[k]) for k, p in enumerate(known)):
            found = values
            for k, place in enumerate(known):
                found = _along(found, k, data.grid[k], place.ravel(), data.orders[k], data.width)
            return found.reshape(()) if all(p.ndim == 0 for p in known) else found
    return _anywhere(data, values, [jnp.asarray(p, values.dtype) for p in places])


def _along(values: Array, k: int, axis: GridAxis, line: np.ndarray, order: int, width: int) -> Array:
    """Values at the places of a line along one axis, the other axes untouched."""
    position = (line - axis.first) / axis.spacing
    nearest = np.rint(position)
    inside = axis.periodic or (nearest.min() >= 0 and nearest.max() < axis.points)
    if order == 0 and inside and bool(np.all(np.abs(position - nearest) < NEAR)):
        index = nearest.astype(int) % axis.points
        whole = np.array_equal(index, np.arange(axis.points))
        return values if whole else jnp.take(values, jnp.asarray(index), axis=k)
    first, weights = _stencil(axis, position, order, width, np)
    shape = tuple(-1 if i == k else 1 for i in range(values.ndim))
    total = jnp.zeros((), values.dtype)
    for j, weight in enumerate(weights):
        there = jnp.take(values, jnp.asarray((first + j) % axis.points), axis=k)
        total = total + jnp.asarray(weight.reshape(shape), values.dtype) * there
    return total


def _anywhere(data: GridData, values: Array, places: Sequence[Array]) -> Array:
    """The same at places of any shapes that broadcast, known or not."""
    parts = []
    for axis, place, order in zip(data.grid, places, data.orders, strict=True):
        first, weights = _stencil(axis, (place - axis.first) / axis.spacing, order, data.width, jnp)
        parts.append([((first + j) % axis.points, weight) for j, weight in enumerate(weights)])
    total = jnp.zeros((), values.dtype)
    for picked in product(*parts):
        term = values[tuple(index for index, _ in picked)]
        for _, weight in picked:
            term = term * weight
        total = total + term
    return total


def _stencil(
    axis: GridAxis, position: Places, order: int, width: int, xp: ModuleType
) -> tuple[Places, list[Places]]:
    """The first node that takes part at positions in cells, and the weights from there on.

    Beyond the ends of a bounded axis the last polynomial goes on.
    """
    count = min(width, axis.points)
    first = xp.floor(position) - (count - 1) // 2
    if not axis.periodic:
        first = xp.clip(first, 0.0, float(axis.points - count))
    offset = position - first - (count - 1) / 2
    weights = []
    for row in _polynomials(count, order):
        weight = xp.zeros_like(offset)
        for coefficient in reversed(row):
            weight = weight * offset + coefficient
        weights.append(weight / axis.spacing**order)
    return first.astype("int32"), weights


@cache
def _polynomials(count: int, order: int) -> tuple[tuple[float, ...], ...]:
    """Lagrange's basis on nodes with distance 1 around 0, or a derivative of it: coefficients of 1, s, ..."""
    assert order < count, f"{count} nodes have no derivative of order {order}"
    nodes = [Fraction(2 * j - count + 1, 2) for j in range(count)]
    rows = []
    for j, node in enumerate(nodes):
        row = [Fraction(1)]
        for i, other in enumerate(nodes):
            if i != j:
                scaled = [c / (node - other) for c in row]
                row = [
                    a - other * b for a, b in zip([Fraction(0), *scaled], [*scaled, Fraction(0)], strict=True)
                ]
        for _ in range(order):
            row = [k * c for k, c in enumerate(row)][1:]
        rows.append(tuple(float(c) for c in row))
    return tuple(rows)
