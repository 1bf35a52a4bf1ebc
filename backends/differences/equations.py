"""The right-hand side of one equation, ready to be evaluated on slices of halo-padded arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from nablax.backends.interface import Unsupported, Vector
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
class FluxPart:
    """coefficient · stencil applied to a pointwise flux; `reach` is the stencil's radius per axis."""

    flux: sp.Expr
    atoms: tuple[Atom, ...]
    stencil: Stencil
    reach: Offset


@dataclass(frozen=True, slots=True)
class RightSide:
    """Σ linear + pointwise + Σ fluxes. `pointwise` is everything evaluated at the node itself."""

    linear: tuple[LinearPart, ...]
    pointwise: sp.Expr
    atoms: tuple[Atom, ...]
    fluxes: tuple[FluxPart, ...]

    @property
    def empty(self) -> bool:
        return not self.linear and not self.fluxes and self.pointwise == 0


def right_side(plan: Plan, linear: Sequence[LinearTerm], others: Sequence[FluxTerm]) -> RightSide:
    """Gather terms: linear ones by unknown and coefficient, fluxes without outer derivative into one sum.

    Raises Unsupported for Fourier multipliers.
    """
    system = plan.system
    space = [a.symbol for a in system.axes]
    gathered: dict[tuple[int, sp.Expr], list[tuple[sp.Expr, Orders]]] = {}
    for term in linear:
        if term.multiplier != 1:
            raise Unsupported("a Fourier multiplier has no finite differences", term.span)
        constant, varying = term.coefficient.as_independent(*space, as_Add=False)
        gathered.setdefault((term.unknown, varying), []).append((constant, term.orders))
    parts = tuple(
        LinearPart(varying, unknown, gather(pairs, plan.order, plan.grid))
        for (unknown, varying), pairs in gathered.items()
    )
    pointwise = sp.Add(*(t.coefficient * t.flux for t in others if not any(t.orders)))
    # Fluxes under the same derivative are differenced together.
    merged: dict[Orders, list[sp.Expr]] = {}
    for term in others:
        if any(term.orders):
            merged.setdefault(term.orders, []).append(term.coefficient * term.flux)
    fluxes = tuple(
        FluxPart(
            sp.Add(*summands),
            _atoms(plan, sp.Add(*summands)),
            gather([(sp.Integer(1), orders)], plan.order, plan.grid),
            tuple(radius(m, plan.order) for m in orders),
        )
        for orders, summands in merged.items()
    )
    return RightSide(parts, pointwise, _atoms(plan, pointwise), fluxes)


def _atoms(plan: Plan, expression: sp.Expr) -> tuple[Atom, ...]:
    result = []
    for node in flux_atoms(expression, plan.system):
        unknown, orders = derivative(node, plan.system)
        result.append(Atom(node, unknown, gather([(sp.Integer(1), orders)], plan.order, plan.grid)))
    return tuple(result)


def value(
    side: RightSide,
    region: Region,
    padded: Vector,
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
    if side.pointwise != 0:
        add(_pointwise(side.pointwise, side.atoms, here, region, padded, places, scalars))
    for flux in side.fluxes:
        wider = grow(region, flux.reach)
        there = {**scalars, **coordinates(plan, wider)}
        shape = tuple(b - a for a, b in wider)
        values = _pointwise(flux.flux, flux.atoms, there, wider, padded, places, scalars)
        # A flux that is constant along some axis still has to have the region's shape.
        array = jnp.broadcast_to(jnp.asarray(values), shape)
        halo = tuple((r, r) for r in flux.reach)
        inner = tuple((0, b - a) for a, b in region)
        derived = apply(flux.stencil, scalars, lambda o, a=array, h=halo, i=inner: window(a, h, i, o))
        if derived is not None:
            add(derived)
    return 0.0 if total is None else total


def stencil_value(
    stencil: Stencil,
    unknown: int,
    region: Region,
    padded: Vector,
    places: Sequence[Place],
    scalars: Mapping[sp.Basic, Operand],
) -> Array | None:
    """A stencil applied to an unknown over a region; None if it has no weights."""
    expressions = stencil.expressions
    found = dict(zip(expressions, evaluate(expressions, scalars), strict=True))
    halo = places[unknown].halo
    return apply(stencil, found, lambda o: window(padded[unknown], halo, region, o))


def _pointwise(
    expression: sp.Expr,
    atoms: Sequence[Atom],
    environment: Mapping[sp.Basic, Operand],
    region: Region,
    padded: Vector,
    places: Sequence[Place],
    scalars: Mapping[sp.Basic, Operand],
) -> Operand:
    values: dict[sp.Basic, Operand] = dict(environment)
    for atom in atoms:
        found = stencil_value(atom.stencil, atom.unknown, region, padded, places, scalars)
        assert found is not None
        values[atom.node] = found
    return evaluate([expression], values)[0]
