"""Linear operators on a grid with a centre: modes along every axis but the radius, one matrix in it per mode.

The geometry makes every coefficient vary with the radius, and with nothing else where the equations do not
add to it. Half a turn multiplies a Fourier mode e^(ikθ) by (-1)^k, so that the differences along the radius
are two matrices, for even k and for odd k. What is left are systems of the size of the radius, decomposed
once (for finite differences M.-C. Lai, Numer. Methods Partial Differ. Equ. 17 (2001) 199-203).
"""

from collections.abc import Mapping, Sequence
from math import prod

import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.differences.contraction import complex_dtype
from nablax.backends.differences.kernels import plus
from nablax.backends.differences.modes import Group, Lines, backward, forward
from nablax.backends.interface import Vector
from nablax.backends.krylov import Operator
from nablax.backends.lowering import Operand
from nablax.system import Orders

Term = tuple[int, int, Orders, Operand]
"""Equation, unknown, orders, and the coefficient times the symbols along the other axes."""


def inverse(
    group: Group,
    lines: Lines,
    terms: Sequence[Term],
    modes: tuple[int, ...],
    dtype: jnp.dtype,
    half: bool,
    identity: float,
    anchors: Mapping[int, Operand],
) -> Operator:
    """(identity + Σ coefficient·D^orders)⁻¹ on the evolving nodes of the group's members.

    `modes` are the numbers of modes along the axes, of nodes along the radius. `anchors[u]` adds that much
    of the mean of u to its equation.
    """
    matrix = _matrix(group, lines, terms, modes, dtype, identity, anchors)
    factors = jax.vmap(jax.scipy.linalg.lu_factor)(matrix)
    k, kind = lines.axis, matrix.dtype
    shape = tuple(b - a for a, b in group.region)
    nodes = shape[k]

    def invert(right: Vector) -> Vector:
        real = not any(jnp.iscomplexobj(r) for r in right)
        hats = [jnp.moveaxis(forward(group, r, half, dtype), k, -1) for r in right]
        others = hats[0].shape[:-1]
        columns = jnp.concatenate([h.reshape(-1, nodes) for h in hats], axis=1)
        wide = kind if jnp.iscomplexobj(matrix) else columns.dtype
        solved = jax.vmap(jax.scipy.linalg.lu_solve)(
            (factors[0].astype(wide), factors[1]), columns.astype(wide)
        )
        parts = [solved[:, i * nodes : (i + 1) * nodes] for i in range(len(right))]
        arrays = [jnp.moveaxis(p.reshape((*others, nodes)), -1, k) for p in parts]
        return tuple(backward(group, a, shape, half, dtype, real) for a in arrays)

    return invert


def _matrix(
    group: Group,
    lines: Lines,
    terms: Sequence[Term],
    modes: tuple[int, ...],
    dtype: jnp.dtype,
    identity: float,
    anchors: Mapping[int, Operand],
) -> Array:
    """One matrix per mode, for all members together: [modes, members · nodes, members · nodes]."""
    k, nodes = lines.axis, modes[lines.axis]
    others = tuple(n for j, n in enumerate(modes) if j != k)
    position = {u: i for i, u in enumerate(group.members)}
    blocks: dict[tuple[int, int], Array] = {}

    def add(i: int, j: int, value: Array) -> None:
        before = blocks.get((i, j))
        if before is not None:
            value = jnp.asarray(plus(before, value))
        blocks[i, j] = value

    for equation, unknown, orders, coefficient in terms:
        weight = jnp.asarray(coefficient)
        weight = weight if jnp.iscomplexobj(weight) else weight.astype(dtype)
        if weight.ndim:
            weight = jnp.broadcast_to(
                weight,
                tuple(s if j == k else m for j, (s, m) in enumerate(zip(weight.shape, modes, strict=True))),
            )
            weight = jnp.moveaxis(weight, k, -1)[..., None]
        line = _line(lines, unknown, orders[k], len(modes), others, nodes, dtype)
        add(position[equation], position[unknown], weight * line.astype(weight.dtype))
    for i in range(len(group.members)):
        add(i, i, identity * jnp.eye(nodes, dtype=dtype).reshape((1,) * len(others) + (nodes, nodes)))
    for unknown, value in anchors.items():
        flat = jnp.ones((1,) * len(others), dtype)
        for j, basis in enumerate(group.bases):
            if j != k:
                index = jnp.arange(modes[j]).reshape(
                    [-1 if a == j else 1 for a in range(len(modes)) if a != k]
                )
                flat = flat * (index == basis.flattest).astype(dtype)
        mean = jnp.asarray(value).astype(dtype) / nodes * jnp.ones((1,) * len(others) + (nodes, nodes), dtype)
        add(position[unknown], position[unknown], flat[..., None, None] * mean)
    kind = complex_dtype(dtype) if any(jnp.iscomplexobj(b) for b in blocks.values()) else dtype
    full = (*others, nodes, nodes)
    zero = jnp.zeros(full, kind)
    count = range(len(group.members))
    rows = [
        jnp.concatenate(
            [jnp.broadcast_to(blocks[i, j], full).astype(kind) if (i, j) in blocks else zero for j in count],
            axis=-1,
        )
        for i in count
    ]
    size = nodes * len(group.members)
    return jnp.concatenate(rows, axis=-2).reshape(prod(others), size, size)


def _line(
    lines: Lines,
    unknown: int,
    order: int,
    dimensions: int,
    others: tuple[int, ...],
    nodes: int,
    dtype: jnp.dtype,
) -> Array:
    """The derivative along the radius in every mode, [..., nodes, nodes] with size 1 where it is the same."""
    if order == 0:
        return jnp.eye(nodes, dtype=dtype).reshape((1,) * len(others) + (nodes, nodes))
    even, odd = (jnp.asarray(m, dtype) for m in lines.matrices[unknown, order])
    if lines.turn is None:
        return even.reshape((1,) * len(others) + even.shape)
    place = [j for j in range(dimensions) if j != lines.axis].index(lines.turn)
    index = jnp.arange(others[place]).reshape([-1 if j == place else 1 for j in range(len(others))])
    return jnp.where((index % 2 == 1)[..., None, None], odd, even)
