"""The right-hand side of one equation, ready to be evaluated on slices of halo-padded arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
import sympy as sp
from jax import Array, lax

from nablax.backends.differences.kernels import Offset, Stencil, apply, gather, plus, times
from nablax.backends.differences.layout import (
    Halo,
    Place,
    Region,
    coordinates,
    derivative,
    flux_atoms,
    grow,
    part,
    window,
)
from nablax.backends.differences.rows import Rows, rows_for
from nablax.backends.interface import Unsupported
from nablax.backends.lowering import Operand, evaluate
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Between, Outside
from nablax.plan import Plan
from nablax.stencils import radius
from nablax.system import FluxTerm, LinearTerm, Orders


@dataclass(frozen=True, slots=True)
class LinearPart:
    """coefficient(x, t) times one stencil on one unknown; coefficient 1 for constant coefficients."""

    coefficient: sp.Expr
    unknown: int
    stencil: Stencil


@dataclass(frozen=True, slots=True)
class Atom:
    """A derivative of an unknown that a flux reads."""

    node: sp.Expr
    unknown: int
    stencil: Stencil


@dataclass(frozen=True, slots=True)
class Pointwise:
    """An expression in coordinates, time, parameters and `atoms`; `entire` if finite for finite atoms."""

    expression: sp.Expr
    atoms: tuple[Atom, ...]
    entire: bool


@dataclass(frozen=True, slots=True)
class FluxPart:
    """A stencil applied to a pointwise flux; `reach` is the stencil's radius per axis."""

    flux: Pointwise
    stencil: Stencil
    reach: Offset


@dataclass(frozen=True, slots=True)
class RightSide:
    """Σ linear + local + Σ fluxes. `local` is everything evaluated at the node itself."""

    linear: tuple[LinearPart, ...]
    local: Pointwise
    fluxes: tuple[FluxPart, ...]


def right_side(plan: Plan, linear: Sequence[LinearTerm], others: Sequence[FluxTerm]) -> RightSide:
    """Gather terms: linear ones by unknown and coefficient, fluxes without outer derivative into one sum.

    Values of nonlocal operators count as known on the nodes, like those of integrals. Raises Unsupported for
    Fourier multipliers.
    """
    system = plan.system
    space = [a.symbol for a in system.axes]
    gathered: dict[tuple[int, sp.Expr], list[tuple[sp.Expr, Orders]]] = {}
    for term in linear:
        if term.operator is not None:
            continue
        if term.multiplier != 1:
            raise Unsupported("a Fourier multiplier has no finite differences", term.span)
        constant, varying = term.coefficient.as_independent(*space, as_Add=False)
        gathered.setdefault((term.unknown, varying), []).append((constant, term.orders))
    parts = tuple(
        LinearPart(varying, unknown, gather(pairs, plan.order, plan.grid))
        for (unknown, varying), pairs in gathered.items()
    )
    acting = [t.coefficient * t.operator for t in linear if t.operator is not None]
    local = sp.Add(*acting, *(t.coefficient * t.flux for t in others if not any(t.orders)))
    # Fluxes under the same derivative are differenced together.
    merged: dict[Orders, list[sp.Expr]] = {}
    for other in others:
        if any(other.orders):
            merged.setdefault(other.orders, []).append(other.coefficient * other.flux)
    fluxes = tuple(
        FluxPart(
            pointwise(plan, sp.Add(*summands)),
            gather([(sp.Integer(1), orders)], plan.order, plan.grid),
            tuple(radius(m, plan.order) for m in orders),
        )
        for orders, summands in merged.items()
    )
    return RightSide(parts, pointwise(plan, local), fluxes)


def pointwise(plan: Plan, expression: sp.Expr) -> Pointwise:
    """An expression with the stencils of the derivatives in it."""
    result = []
    for node in flux_atoms(expression, plan.system):
        unknown, orders = derivative(node, plan.system)
        result.append(Atom(node, unknown, gather([(sp.Integer(1), orders)], plan.order, plan.grid)))
    return Pointwise(expression, tuple(result), _entire(expression, frozenset(a.node for a in result)))


ENTIRE = (sp.sin, sp.cos, sp.exp, sp.sinh, sp.cosh, sp.tanh, sp.erf, sp.atan, sp.conjugate, sp.re, sp.im)


def _entire(expression: sp.Expr, atoms: frozenset[sp.Expr]) -> bool:
    pending: list[sp.Basic] = [expression]
    while pending:
        node = pending.pop()
        if node in atoms or not node.has(*atoms or (sp.nan,)):
            continue
        power = isinstance(node, sp.Pow) and (node.exp.is_Integer and node.exp.is_positive)
        if not (power or isinstance(node, (sp.Add, sp.Mul, *ENTIRE))):
            return False
        pending.extend(node.args)
    return True


@dataclass(frozen=True, slots=True)
class Extent:
    """Where right-hand sides are evaluated: stencils on `inner`, the result on `outer` around it.

    Beyond `inner`, stencils give zero. On XLA's CPU a traced scalar inside a pad keeps its loop from
    being vectorised (measured: 2.2 times the time of heat with a reaction, 512²), so the pad goes around
    sums of slices and scalars stay outside.
    """

    inner: Region
    outer: Region
    rows: Rows | None = None
    """How shifted values are read, where not by windows."""

    def shifted(self, array: Array, halo: Halo, offset: Offset) -> Array:
        """A halo-padded array at `inner + offset`."""
        if self.rows is not None:
            return self.rows.at(array, halo, offset)
        return window(array, halo, self.inner, offset)

    def lift(self, value: Operand) -> Operand:
        """From `inner` to `outer`, zero in between."""
        widths = [(a - p, q - b) for (a, b), (p, q) in zip(self.inner, self.outer, strict=True)]
        return jnp.pad(value, widths) if any(lo or hi for lo, hi in widths) else value


def value(
    side: RightSide,
    extent: Extent,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    plan: Plan,
    scalars: Mapping[sp.Basic, Operand],
) -> Operand:
    """The right-hand side over an extent, zero beyond its inner region; a number where nothing varies."""
    rows = _rows(side, extent, padded, places)
    if rows is None:
        return _value(side, extent, extent.inner, padded, places, plan, scalars)
    region = rows.region

    def by_rows() -> Array:
        found = _value(side, Extent(region, region, rows), extent.inner, padded, places, plan, scalars)
        return rows.lift(jnp.broadcast_to(jnp.asarray(found), tuple(b - a for a, b in region)))

    def by_windows() -> Array:
        found = _value(side, extent, extent.inner, padded, places, plan, scalars)
        return jnp.broadcast_to(jnp.asarray(found), tuple(b - a for a, b in extent.outer))

    # An accelerator would move the rows to lay them end to end.
    result: Array = lax.platform_dependent(cpu=by_rows, default=by_windows)
    return result


def _rows(
    side: RightSide, extent: Extent, padded: Mapping[int, Array], places: Sequence[Place]
) -> Rows | None:
    """None where some stencil cannot be read by rows, or where the side is not to be taken on a wall."""
    local = side.local
    if side.fluxes or not (local.expression == 0 or local.entire):
        return None
    rows = rows_for(extent.inner, extent.outer)
    if rows is None:
        return None
    reads = [(part.unknown, part.stencil) for part in side.linear]
    reads += [(atom.unknown, atom.stencil) for atom in local.atoms]
    offsets = [(u, o) for u, stencil in reads for _, members in stencil.groups for _, o in members]
    if not all(rows.reaches(padded[u].shape, places[u].halo, o) for u, o in offsets):
        return None
    return rows


def _value(
    side: RightSide,
    extent: Extent,
    evolving: Region,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    plan: Plan,
    scalars: Mapping[sp.Basic, Operand],
) -> Operand:
    total: Operand | None = None
    # What may be infinite at the value of a wall is not even evaluated there: a mask would hide it from
    # the result and not from derivatives.
    spread = side.local.expression != 0 and side.local.entire
    varying = any(p.coefficient != 1 for p in side.linear)
    masked = extent.inner != extent.outer and (spread or varying)

    def add(term: Operand) -> None:
        nonlocal total
        total = term if total is None else plus(total, term)

    here = {**local(scalars, extent.outer), **coordinates(plan, extent.outer, evolving)}
    for linear in side.linear:
        derived = stencil_value(linear.stencil, linear.unknown, extent, padded, places, scalars)
        if derived is None:
            continue
        if linear.coefficient != 1:
            derived = times(evaluate([linear.coefficient], here)[0], derived)
        add(derived)
    if spread:
        add(pointwise_value(side.local, here, extent, padded, places, scalars))
    if total is not None and masked:
        total = _only(jnp.asarray(total), extent)
    if side.local.expression != 0 and not spread:
        inner = Extent(extent.inner, extent.inner)
        there = {**local(scalars, extent.inner), **coordinates(plan, extent.inner)}
        found = jnp.asarray(pointwise_value(side.local, there, inner, padded, places, scalars))
        add(extent.lift(jnp.broadcast_to(found, tuple(b - a for a, b in extent.inner))))
    for flux in side.fluxes:
        wider = grow(extent.inner, flux.reach)
        there = {**scalars, **coordinates(plan, wider)}
        shape = tuple(b - a for a, b in wider)
        values = pointwise_value(flux.flux, there, Extent(wider, wider), padded, places, scalars)
        # A flux that is constant along some axis still has to have the region's shape.
        array = jnp.broadcast_to(jnp.asarray(values), shape)
        halo = tuple((r, r) for r in flux.reach)
        origin = tuple((0, b - a) for a, b in extent.inner)
        derived = apply(flux.stencil, scalars, partial(window, array, halo, origin), extent.lift)
        if derived is not None:
            add(derived)
    return 0.0 if total is None else total


def local(scalars: Mapping[sp.Basic, Operand], region: Region) -> Mapping[sp.Basic, Operand]:
    """The scalars, with the values of integral terms and nonlocal operators over a region of nodes."""
    return {
        symbol: part(jnp.asarray(value), region)
        if isinstance(symbol, (*INTEGRALS, *Between, Outside))
        else value
        for symbol, value in scalars.items()
    }


def _only(array: Array, extent: Extent) -> Array:
    """Zero outside the inner region."""
    shape = tuple(q - p for p, q in extent.outer)
    inside: Array | None = None
    for k, ((a, b), (p, q)) in enumerate(zip(extent.inner, extent.outer, strict=True)):
        if (a, b) == (p, q):
            continue
        index = lax.broadcasted_iota(jnp.int32, shape, k) + p
        here = (index >= a) & (index < b)
        inside = here if inside is None else inside & here
    assert inside is not None
    return jnp.where(inside, jnp.broadcast_to(array, shape), 0)


def stencil_value(
    stencil: Stencil,
    unknown: int,
    extent: Extent,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    scalars: Mapping[sp.Basic, Operand],
) -> Operand | None:
    """A stencil applied to an unknown over an extent; None if it has no weights."""
    expressions = stencil.expressions
    found = dict(zip(expressions, evaluate(expressions, scalars), strict=True))
    halo = places[unknown].halo
    return apply(stencil, found, partial(extent.shifted, padded[unknown], halo), extent.lift)


def pointwise_value(
    item: Pointwise,
    environment: Mapping[sp.Basic, Operand],
    extent: Extent,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    scalars: Mapping[sp.Basic, Operand],
) -> Operand:
    """The expression over the outer region; `environment` holds scalars and coordinates there.

    Derivatives are zero beyond the inner region, values are those of the nodes.
    """
    values: dict[sp.Basic, Operand] = dict(environment)
    for atom in item.atoms:
        if isinstance(atom.node, sp.Derivative):
            found = stencil_value(atom.stencil, atom.unknown, extent, padded, places, scalars)
            assert found is not None
            values[atom.node] = found
        else:
            halo, here = places[atom.unknown].halo, (0,) * len(extent.outer)
            values[atom.node] = window(padded[atom.unknown], halo, extent.outer, here)
    return evaluate([item.expression], values)[0]
