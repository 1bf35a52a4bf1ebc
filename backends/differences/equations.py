"""The right-hand side of one equation, ready to be evaluated on slices of halo-padded arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.differences.kernels import Offset, Stencil, apply, gather, plus, times
from nablax.backends.differences.layout import (
    Place,
    Region,
    coordinates,
    derivative,
    flux_atoms,
    grow,
    window,
)
from nablax.backends.interface import Unsupported
from nablax.backends.lowering import Operand, evaluate
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
    """An expression in coordinates, time, parameters and `atoms`."""

    expression: sp.Expr
    atoms: tuple[Atom, ...]


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

    Raises Unsupported for Fourier multipliers.
    """
    system = plan.system
    space = [a.symbol for a in system.axes]
    gathered: dict[tuple[int, sp.Expr], list[tuple[sp.Expr, Orders]]] = {}
    for part in linear:
        if part.multiplier != 1:
            raise Unsupported("a Fourier multiplier has no finite differences", part.span)
        constant, varying = part.coefficient.as_independent(*space, as_Add=False)
        gathered.setdefault((part.unknown, varying), []).append((constant, part.orders))
    parts = tuple(
        LinearPart(varying, unknown, gather(pairs, plan.order, plan.grid))
        for (unknown, varying), pairs in gathered.items()
    )
    local = sp.Add(*(t.coefficient * t.flux for t in others if not any(t.orders)))
    # Fluxes under the same derivative are differenced together.
    merged: dict[Orders, list[sp.Expr]] = {}
    for term in others:
        if any(term.orders):
            merged.setdefault(term.orders, []).append(term.coefficient * term.flux)
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
    return Pointwise(expression, tuple(result))


def value(
    side: RightSide,
    region: Region,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    plan: Plan,
    scalars: Mapping[sp.Basic, Operand],
) -> Operand:
    """The right-hand side over a region; a number or scalar where nothing varies."""
    total: Operand | None = None

    def add(term: Operand) -> None:
        nonlocal total
        total = term if total is None else plus(total, term)

    here = {**scalars, **coordinates(plan, region)}
    for part in side.linear:
        derived = stencil_value(part.stencil, part.unknown, region, padded, places, scalars)
        if derived is None:
            continue
        if part.coefficient != 1:
            derived = times(evaluate([part.coefficient], here)[0], derived)
        add(derived)
    if side.local.expression != 0:
        add(pointwise_value(side.local, here, region, padded, places, scalars))
    for flux in side.fluxes:
        wider = grow(region, flux.reach)
        there = {**scalars, **coordinates(plan, wider)}
        shape = tuple(b - a for a, b in wider)
        values = pointwise_value(flux.flux, there, wider, padded, places, scalars)
        # A flux that is constant along some axis still has to have the region's shape.
        array = jnp.broadcast_to(jnp.asarray(values), shape)
        halo = tuple((r, r) for r in flux.reach)
        inner = tuple((0, b - a) for a, b in region)
        derived = apply(flux.stencil, scalars, partial(window, array, halo, inner))
        if derived is not None:
            add(derived)
    return 0.0 if total is None else total


def stencil_value(
    stencil: Stencil,
    unknown: int,
    region: Region,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    scalars: Mapping[sp.Basic, Operand],
) -> Operand | None:
    """A stencil applied to an unknown over a region; None if it has no weights."""
    expressions = stencil.expressions
    found = dict(zip(expressions, evaluate(expressions, scalars), strict=True))
    halo = places[unknown].halo
    return apply(stencil, found, lambda o: window(padded[unknown], halo, region, o))


def pointwise_value(
    item: Pointwise,
    environment: Mapping[sp.Basic, Operand],
    region: Region,
    padded: Mapping[int, Array],
    places: Sequence[Place],
    scalars: Mapping[sp.Basic, Operand],
) -> Operand:
    """The expression over a region; `environment` holds scalars and the region's coordinates."""
    values: dict[sp.Basic, Operand] = dict(environment)
    for atom in item.atoms:
        found = stencil_value(atom.stencil, atom.unknown, region, padded, places, scalars)
        assert found is not None
        values[atom.node] = found
    return evaluate([item.expression], values)[0]
