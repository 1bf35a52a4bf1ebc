"""Boundary data that hold traces: values and derivatives of the unknowns on a wall, from nodal arrays."""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.differences.kernels import plus, times
from nablax.backends.differences.layout import coordinates, derivative, part, slab
from nablax.backends.differences.walls import Wall
from nablax.backends.interface import Unsupported
from nablax.backends.lowering import Operand, evaluate
from nablax.integrals import INTEGRALS
from nablax.passes.jets import jets
from nablax.plan import Plan
from nablax.stencils import centred, fornberg, radius

Nodal = Mapping[int, Array]
"""Arrays of the plan's shape by index of unknown."""
Traced = Mapping[tuple[Wall, int], Operand]
"""Values over a wall's nodes of the data that hold traces, by wall and index of the condition."""


def traces_in(expression: sp.Expr) -> tuple[sp.Basic, ...]:
    return tuple(sorted(jets(expression), key=sp.default_sort_key))


def wall_region(plan: Plan, wall: Wall) -> tuple[tuple[int, int], ...]:
    """The nodes of a wall."""
    position = 0 if wall.side == 0 else plan.grid[wall.axis].points - 1
    return tuple(
        (position, position + 1) if k == wall.axis else (0, axis.points) for k, axis in enumerate(plan.grid)
    )


def on_wall(
    expressions: Sequence[sp.Expr],
    wall: Wall,
    plan: Plan,
    arrays: Nodal,
    scalars: Mapping[sp.Basic, Operand],
    accuracy: int | None = None,
) -> tuple[Operand, ...]:
    """Expressions in traces, coordinates, time and parameters over the nodes of a wall; derivatives across it
    have the given order, or that of the plan."""
    here: dict[sp.Basic, Operand] = {**scalars, **coordinates(plan, wall_region(plan, wall))}
    for expression in expressions:
        for jet in traces_in(expression):
            if jet not in here:
                assert isinstance(jet, sp.Expr)
                here[jet] = trace(jet, wall, plan, arrays, plan.order if accuracy is None else accuracy)
            elif isinstance(jet, INTEGRALS):
                here[jet] = part(jnp.asarray(here[jet]), wall_region(plan, wall))
    return evaluate(expressions, here)


def trace(jet: sp.Expr, wall: Wall, plan: Plan, arrays: Nodal, accuracy: int) -> Array:
    """A derivative of an unknown on a wall: one-sided across it with the given order, centred along it with
    the plan's."""
    unknown, orders = derivative(jet, plan.system)
    if unknown not in arrays:
        raise Unsupported(
            f"boundary data hold `{plan.system.unknowns[unknown].name}`, which is not known there"
        )
    array, k = arrays[unknown], wall.axis
    weights = across(orders[k], accuracy) / plan.grid[k].spacing ** orders[k]
    size = array.shape[k]
    if wall.side == 1:
        weights = weights * (-1) ** orders[k]
    value: Operand | None = None
    for j, w in enumerate(weights):
        position = j if wall.side == 0 else size - 1 - j
        node: Operand = slab(array, k, position, position + 1)
        node = node if w == 1.0 else times(float(w), node)
        value = node if value is None else plus(value, node)
    result = jnp.asarray(value)
    for axis, order in enumerate(orders):
        if order and axis != k:
            result = along(result, axis, order, plan)
    return result


def nodal(jet: sp.Expr, plan: Plan, arrays: Nodal) -> Array:
    """A derivative of an unknown on all nodes, one-sided near the ends of bounded axes."""
    unknown, orders = derivative(jet, plan.system)
    result = arrays[unknown]
    for axis, order in enumerate(orders):
        if order:
            result = along(result, axis, order, plan)
    return result


def across(order: int, accuracy: int) -> np.ndarray:
    """One-sided weights of d^order on nodes counted inwards, unit spacing."""
    if order == 0:
        return np.ones(1)
    return np.asarray(fornberg(np.arange(order + accuracy), 0.0, order)[order])


def along(array: Array, axis: int, order: int, plan: Plan) -> Array:
    """A derivative along an axis of nodal values: centred, one-sided near the ends of a bounded axis."""
    grid, r = plan.grid[axis], radius(order, plan.order)
    n = grid.points
    if grid.periodic:
        array = jnp.concatenate([slab(array, axis, n - r, n), array, slab(array, axis, 0, r)], axis=axis)
    else:
        array = continued(array, axis, r, order + plan.order - 1)
    total: Operand | None = None
    for j, w in enumerate(centred(order, plan.order)):
        if w != 0.0:
            term = times(float(w / grid.spacing**order), slab(array, axis, j, j + n))
            total = term if total is None else plus(total, term)
    return jnp.asarray(total)


def continued(array: Array, axis: int, width: int, degree: int) -> Array:
    """The array with `width` more values on both sides, those of polynomials through the nearest nodes."""
    if width == 0:
        return array
    n = array.shape[axis]
    count = min(degree + 1, n)
    rows = [fornberg(np.arange(count), float(-g), 0)[0] for g in range(1, width + 1)]

    def outside(inwards: Sequence[int]) -> list[Array]:
        near = [slab(array, axis, j, j + 1) for j in inwards]
        found = []
        for row in rows:
            total: Operand | None = None
            for w, value in zip(row, near, strict=True):
                term = times(float(w), value)
                total = term if total is None else plus(total, term)
            found.append(jnp.asarray(total))
        return found

    lower = outside(range(count))
    upper = outside(range(n - 1, n - 1 - count, -1))
    return jnp.concatenate([*lower[::-1], array, *upper], axis=axis)


def traced_data(
    walls: Sequence[Wall], plan: Plan, arrays: Nodal, scalars: Mapping[sp.Basic, Operand]
) -> Traced:
    """The data of all conditions that hold traces."""
    found: dict[tuple[Wall, int], Operand] = {}
    for wall in walls:
        for i, condition in enumerate(wall.conditions):
            if wall.halo and (wall, i) not in found and jets(condition.data):
                reach = condition.accuracy(plan.order)
                (found[wall, i],) = on_wall([condition.data], wall, plan, arrays, scalars, reach)
    return found


def extended(
    value: Operand, wall: Wall, plan: Plan, padded: Sequence[tuple[int, int]], extend: bool
) -> Operand:
    """Data on the nodes of a wall carried on into the halos that its array already has.

    `extend` continues them as polynomials, for mixed derivatives; otherwise nobody reads them there.
    """
    if not isinstance(value, Array) or value.ndim == 0:
        return value
    for k, (lower, upper) in enumerate(padded):
        if k == wall.axis or value.shape[k] == 1 or lower == upper == 0:
            continue
        width = max(lower, upper)
        n = value.shape[k]
        if extend:
            value = slab(continued(value, k, width, plan.order), k, width - lower, width + n + upper)
        else:
            value = jnp.pad(value, [(lower, upper) if j == k else (0, 0) for j in range(value.ndim)])
    return value
