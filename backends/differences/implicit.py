"""Solves with I - shift·L and with I - shift·(derivative of the rate)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends import krylov
from nablax.backends.differences import dense, modal
from nablax.backends.differences.equations import (
    Extent,
    Pointwise,
    RightSide,
    local,
    pointwise,
    pointwise_value,
)
from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.kernels import times
from nablax.backends.differences.layout import coordinates
from nablax.backends.differences.modal import Coupling
from nablax.backends.differences.modes import Group
from nablax.backends.differences.nodes import Nodes
from nablax.backends.interface import Vector
from nablax.backends.lowering import Operand, evaluate

DENSE = 1024  # values up to which a matrix without usable modes is decomposed in every stage


@dataclass(frozen=True, slots=True)
class Entry:
    """A term coefficient · D^orders of a linear operator. `coefficient` is pointwise."""

    coupling: Coupling
    coefficient: Pointwise


@dataclass(frozen=True, slots=True)
class LinearOperator:
    """L by its terms, and the groups of unknowns that it is inverted by.

    `sides[i]` is the part of L in equation i.
    """

    nodes: Nodes
    sides: tuple[RightSide, ...]
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]

    def of(self, group: Group) -> tuple[Entry, ...]:
        """The terms in the equations of a group."""
        return tuple(e for e in self.entries if e.coupling.equation in group.members)

    def direct(self, group: Group) -> bool:
        """Whether the modal solve is exact for the group."""
        along = None if group.lines is None else group.lines.axis
        space = {a.symbol for k, a in enumerate(self.nodes.plan.system.axes) if k != along}
        return group.exact and not any(e.coefficient.expression.free_symbols & space for e in self.of(group))


def entry(nodes: Nodes, coupling: Coupling, coefficient: sp.Expr) -> Entry:
    """A term of a linear operator."""
    return Entry(coupling, pointwise(nodes.plan, coefficient))


def mean(item: Entry, nodes: Nodes, scalars: Scalars, padded: Mapping[int, Array]) -> Operand:
    """A coefficient averaged over the evolving nodes of its equation, along all axes but one that begins at a
    centre; times its operator's eigenvalues."""
    operator = item.coupling.operator
    value = _mean(item, nodes, scalars, padded)
    return value if operator is None else times(value, operator.modes(scalars))


def _mean(item: Entry, nodes: Nodes, scalars: Scalars, padded: Mapping[int, Array]) -> Operand:
    expression = item.coefficient.expression
    if not item.coefficient.atoms and expression.free_symbols <= set(scalars):
        return evaluate([expression], scalars)[0]
    region = nodes.places[item.coupling.equation].evolving
    here = {**local(scalars, region), **coordinates(nodes.plan, region)}
    value = jnp.asarray(
        pointwise_value(item.coefficient, here, Extent(region, region), padded, nodes.places, scalars)
    )
    others = tuple(k for k, axis in enumerate(nodes.plan.grid) if not axis.folded)
    if value.ndim and len(others) < len(nodes.plan.grid):
        return jnp.mean(value, axis=others, keepdims=True)
    return jnp.mean(value)


def solve(operator: LinearOperator, shift: Array, right: Vector, scalars: Scalars) -> Vector:
    """The y with y - shift · L y = right.

    Group by group: directly where the modal solve is exact; by LU decomposition where there are no modes and
    few values (a third derivative between walls); by GMRES preconditioned with the modal solve otherwise, and
    then NaN throughout if that does not converge.
    """
    nodes = operator.nodes
    result = list(right)
    for group in operator.groups:
        entries = operator.of(group)
        if not entries:
            continue
        members = group.members
        act = _action(operator, group, scalars)
        walls = {u: nodes.walls(right[u], u) for u in members}
        inner = tuple(nodes.inside(right[u], u) for u in members)
        if any(nodes.places[u].held for u in members):
            # What the wall values do to the nodes inside is known: it joins the right side.
            inner = tuple(_along(a, shift, b) for a, b in zip(inner, act(walls), strict=True))
        values = [(e.coupling, mean(e, nodes, scalars, {})) for e in entries if e.coupling.unknown in members]
        invert = _modal(group, values, shift, nodes)
        if operator.direct(group):
            found = invert(inner)
        else:
            found = _inverted(_shifted(act, nodes, members, shift), inner, invert, (group,))
        for u, array in zip(members, found, strict=True):
            result[u] = walls[u] + nodes.surround(array, u)
    return tuple(result)


def _action(
    operator: LinearOperator, group: Group, scalars: Scalars
) -> Callable[[Mapping[int, Array]], Vector]:
    """L on nodal arrays of a group's members, at their evolving nodes."""
    nodes = operator.nodes

    def act(arrays: Mapping[int, Array]) -> Vector:
        padded = nodes.padded(arrays, scalars, homogeneous=True)
        known = nodes.acted(scalars, arrays)
        return tuple(nodes.inner(operator.sides[u], u, padded, known) for u in group.members)

    return act


def _shifted(
    act: Callable[[Mapping[int, Array]], Vector], nodes: Nodes, members: tuple[int, ...], shift: Array
) -> krylov.Operator:
    """I - shift·L on evolving nodes."""

    def apply(vector: Vector) -> Vector:
        whole = {u: nodes.surround(a, u) for u, a in zip(members, vector, strict=True)}
        return tuple(_along(a, -shift, b) for a, b in zip(vector, act(whole), strict=True))

    return apply


def _inverted(
    operator: krylov.Operator, right: Vector, precondition: krylov.Operator, groups: Sequence[Group]
) -> Vector:
    """The x with operator(x) = right."""
    if any(g.lacks_modes for g in groups) and sum(a.size for a in right) <= DENSE:
        return dense.inverse(operator, right)(right)
    return krylov.solve(operator, right, precondition)


def _along(array: Array, step: Array, direction: Array) -> Array:
    """array + step · direction, step real."""
    return array + step.astype(direction.dtype) * direction


def _modal(
    group: Group, values: Sequence[tuple[Coupling, Operand]], shift: Array, nodes: Nodes
) -> krylov.Operator:
    """I - shift·L with the coefficients given, inverted."""
    scaled = [(coupling, times(-shift, value)) for coupling, value in values]
    real = not any(nodes.places[u].complex for u in group.members)
    return modal.inverse(group, scaled, jnp.dtype(nodes.plan.dtype), real, identity=1.0)


def solve_linearised(
    nodes: Nodes,
    entries: Sequence[Entry],
    groups: Sequence[Group],
    rate: Callable[[Vector], Vector],
    shift: Array,
    y: Vector,
    right: Vector,
    scalars: Scalars,
    coupled: bool,
) -> Vector:
    """The z with z - shift · J z = right, J the derivative of `rate` at y.

    `entries` and `groups` describe J for the preconditioner, whose coefficients are averaged over the
    grid at y. Where the rates of held walls depend on the unknowns (`coupled`), they are iterated on with
    the rest; otherwise z is known there. NaN throughout if GMRES does not converge.
    """
    padded = nodes.padded(dict(enumerate(y)), scalars, homogeneous=False)
    values = [(e.coupling, mean(e, nodes, scalars, padded)) for e in entries]
    _, jacobian = jax.linearize(rate, y)
    members = tuple(range(len(y)))
    if coupled:
        return _solve_with_walls(nodes, jacobian, values, groups, shift, right)

    def act(arrays: Mapping[int, Array]) -> Vector:
        found = jacobian(tuple(arrays[u] for u in members))
        return tuple(nodes.inside(a, u) for u, a in zip(members, found, strict=True))

    walls = {u: nodes.walls(right[u], u) for u in members}
    inner = tuple(nodes.inside(right[u], u) for u in members)
    if any(nodes.places[u].held for u in members):
        inner = tuple(_along(a, shift, b) for a, b in zip(inner, act(walls), strict=True))

    precondition = _by_groups(nodes, values, groups, shift)
    found = _inverted(_shifted(act, nodes, members, shift), inner, precondition, groups)
    return tuple(walls[u] + nodes.surround(array, u) for u, array in zip(members, found, strict=True))


def _by_groups(
    nodes: Nodes, values: Sequence[tuple[Coupling, Operand]], groups: Sequence[Group], shift: Array
) -> krylov.Operator:
    """The modal solve of every group, on evolving nodes."""
    inverses = [
        _modal(g, [(c, v) for c, v in values if {c.equation, c.unknown} <= set(g.members)], shift, nodes)
        for g in groups
    ]

    def precondition(vector: Vector) -> Vector:
        result = list(vector)
        for group, invert in zip(groups, inverses, strict=True):
            part = invert(tuple(vector[u] for u in group.members))
            for u, array in zip(group.members, part, strict=True):
                result[u] = nodes.cast(array, u)
        return tuple(result)

    return precondition


def _solve_with_walls(
    nodes: Nodes,
    jacobian: Callable[[Vector], Vector],
    values: Sequence[tuple[Coupling, Operand]],
    groups: Sequence[Group],
    shift: Array,
    right: Vector,
) -> Vector:
    """The same on all nodes: the preconditioner leaves wall values alone and inverts the rest for them."""
    inside = _by_groups(nodes, values, groups, shift)

    def act(vector: Vector) -> Vector:
        return tuple(_along(a, -shift, b) for a, b in zip(vector, jacobian(vector), strict=True))

    def precondition(vector: Vector) -> Vector:
        walls = tuple(nodes.walls(a, u) for u, a in enumerate(vector))
        pulled = jacobian(walls)
        inner = tuple(
            _along(nodes.inside(a, u), shift, nodes.inside(b, u))
            for u, (a, b) in enumerate(zip(vector, pulled, strict=True))
        )
        return tuple(
            w + nodes.surround(a, u) for u, (w, a) in enumerate(zip(walls, inside(inner), strict=True))
        )

    return _inverted(act, right, precondition, groups)
