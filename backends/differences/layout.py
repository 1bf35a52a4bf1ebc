"""Where things lie: halos, evolving nodes and coordinates of every unknown.

Positions along an axis are node indices: 0 is the first node, negative ones and those beyond the last are
ghosts. A `Region` is a box of such positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
import sympy as sp
from jax import Array, lax

from nablax.backends.differences.walls import (
    Character,
    Condition,
    Wall,
    closure_degree,
    given_at,
)
from nablax.backends.interface import Unsupported
from nablax.backends.nodes import placed
from nablax.centre import centre_of, parity
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Between
from nablax.passes.carried import carried_alone
from nablax.passes.jets import jets
from nablax.plan import GridAxis, Plan
from nablax.planning.wall_equations import wall_equations
from nablax.stencils import radius
from nablax.system import FluxTerm, Orders, System, Terms

Region = tuple[tuple[int, int], ...]
"""Half-open range of positions per axis."""

Halo = tuple[tuple[int, int], ...]
"""Ghosts on either side, per axis."""


@dataclass(frozen=True, slots=True)
class Place:
    """The geometry of one unknown.

    `walls[axis]` holds the lower and the upper wall, None on a periodic axis; `halo[axis]` the ghosts on
    either side; `evolving` the nodes whose rate comes from the equation, all but the held ones; `mixed`
    says whether a mixed derivative reads the corners of the halo.
    """

    walls: tuple[tuple[Wall, Wall] | None, ...]
    halo: Halo
    evolving: Region
    mixed: bool
    complex: bool

    @property
    def held(self) -> tuple[Wall, ...]:
        """Walls whose nodes do not evolve by the equation, in axis order: at a corner the first decides."""
        return tuple(w for pair in self.walls if pair is not None for w in pair if w.held)


def read(term: FluxTerm, system: System) -> tuple[tuple[int, Orders], ...]:
    """The derivatives a flux term takes of which unknowns (orders 0: the value)."""
    found: list[tuple[int, Orders]] = []
    for node in flux_atoms(term.flux, system):
        index, orders = derivative(node, system)
        found.append((index, tuple(a + b for a, b in zip(orders, term.orders, strict=True))))
    return tuple(found)


def flux_atoms(flux: sp.Expr, system: System) -> tuple[sp.Expr, ...]:
    """Unknowns and derivatives of unknowns that the flux is made of, outermost first."""
    values = {u.value for u in system.unknowns}
    found: dict[sp.Expr, None] = {}
    pending: list[sp.Basic] = [flux]
    while pending:
        node = pending.pop()
        if isinstance(node, (*INTEGRALS, *Between)):
            continue
        if isinstance(node, sp.Derivative) or node in values:
            found[node] = None
        else:
            pending.extend(node.args)
    return tuple(sorted(found, key=sp.default_sort_key))


def derivative(node: sp.Expr, system: System) -> tuple[int, Orders]:
    """Index of the unknown and derivative orders of an atom `u(x, t)` or `Derivative(u(x, t), ...)`."""
    inner = node.expr if isinstance(node, sp.Derivative) else node
    counts = dict(node.variable_count) if isinstance(node, sp.Derivative) else {}
    for index, unknown in enumerate(system.unknowns):
        if unknown.value == inner:
            orders = tuple(int(counts.pop(axis.symbol, 0)) for axis in system.axes)
            if counts:
                raise Unsupported(
                    f"a derivative of `{unknown.name}` in {next(iter(counts))} on the right side"
                )
            return index, orders
    raise Unsupported(f"a derivative of something that is no unknown: {node}")


def conservative(terms: Terms, grid: Sequence[GridAxis]) -> tuple[FluxTerm, ...]:
    """The form of the nonlinear terms to discretise.

    The conservative one when its fluxes are free of derivatives: same stencil, and sums telescope.
    Fluxes of derivatives would difference twice, which is wider and blind to the shortest wave. Fluxes that
    hold the radius are read at nodes alone: beyond a centre it would be negative.
    """
    # Integrals along some axes are known on the nodes, and fluxes are read beyond them.
    fluxes = terms.conservative
    known = not any(isinstance(j, (*INTEGRALS, *Between)) for f in fluxes for j in jets(f.flux))
    known = known and not any(axis.folded for axis in grid)
    if fluxes and known and not any(f.flux.has(sp.Derivative) for f in fluxes):
        return fluxes
    return terms.nonlinear


def places(plan: Plan) -> tuple[Place, ...]:
    """The geometry of every unknown of the plan's system."""
    system, grid = plan.system, plan.grid
    count = len(system.unknowns)
    reads: list[tuple[int, int, Orders]] = []  # equation, unknown, orders
    for evolution in system.evolution:
        terms = evolution.terms
        for linear in terms.linear:
            reads.append((evolution.unknown, linear.unknown, linear.orders))
        for flux in conservative(terms, grid):
            reads.extend((evolution.unknown, v, orders) for v, orders in read(flux, system))

    given = {
        (u, k, side): given_at(system, u, k, side)
        for u in range(count)
        for k, axis in enumerate(grid)
        if not axis.periodic
        for side in (0, 1)
    }
    for b in wall_equations(system, plan.order):
        at = given[b.unknown, b.axis, b.side]
        conditions = (*at.conditions, Condition(b.terms, b.data, followed=True))
        given[b.unknown, b.axis, b.side] = replace(at, conditions=conditions)
    carried = carried_alone(system) is not None
    result = []
    for v in range(count):
        walls: list[tuple[Wall, Wall] | None] = []
        halo: list[tuple[int, int]] = []
        for k, axis in enumerate(grid):
            widths = [
                max(
                    (
                        radius(orders[k], plan.order) - (not axis.periodic and given[equation, k, side].held)
                        for equation, unknown, orders in reads
                        if unknown == v
                    ),
                    default=0,
                )
                for side in (0, 1)
            ]
            width = (max(widths[0], 0), max(widths[1], 0))
            halo.append(width)
            if axis.periodic:
                walls.append(None)
                continue
            highest = max((orders[k] for _, unknown, orders in reads if unknown == v), default=0)
            character = "steady" if carried else _character(system, reads, v, k)
            pair = []
            for side in (0, 1):
                at = given[v, k, side]
                if axis.folded and side == 0:
                    pair.append(_through_centre(system, v, k, width[0], axis))
                    continue
                degree = closure_degree(plan.order, highest, at.fixed, at.conditions, character)
                wall = Wall(k, side, at.pinned, at.moving, at.conditions, degree, width[side], axis.spacing)
                _check(wall, axis, system.unknowns[v].name)
                pair.append(wall)
            walls.append((pair[0], pair[1]))
        result.append(
            Place(
                tuple(walls),
                tuple(halo),
                tuple(_range(axis, pair) for axis, pair in zip(grid, walls, strict=True)),
                any(unknown == v and sum(map(bool, orders)) > 1 for _, unknown, orders in reads),
                system.unknowns[v].complex,
            )
        )
    return tuple(result)


def _through_centre(system: System, unknown: int, k: int, halo: int, axis: GridAxis) -> Wall:
    centre = centre_of(system.problem)
    assert centre is not None, "a folded axis begins at a centre"
    way = parity(system, unknown)
    wall = Wall(k, 0, None, None, (), 0, halo, axis.spacing, way, centre.angle)
    _check(wall, axis, system.unknowns[unknown].name)
    return wall


def _check(wall: Wall, axis: GridAxis, name: str) -> None:
    if wall.halo and axis.points < max(wall.near, wall.halo):
        raise Unsupported(
            f"axis `{axis.name}` has {axis.points} nodes, and the closure of `{name}` reads "
            f"{max(wall.near, wall.halo)}"
        )


def _range(axis: GridAxis, pair: tuple[Wall, Wall] | None) -> tuple[int, int]:
    if pair is None:
        return 0, axis.points
    lower, upper = pair
    return int(lower.held), axis.points - int(upper.held)


def _character(system: System, reads: list[tuple[int, int, Orders]], unknown: int, axis: int) -> Character:
    mine = [(equation, orders[axis]) for equation, v, orders in reads if v == unknown and orders[axis]]
    highest = max((order for _, order in mine), default=0)
    if highest <= 1:
        return "coupled" if any(equation != unknown for equation, _ in mine) else "diffusive"
    if system.unknowns[unknown].complex or any(
        equation != unknown and order == highest for equation, order in mine
    ):
        return "oscillatory"
    return "mixed" if any(order % 2 for _, order in mine) else "diffusive"


def coordinates(plan: Plan, region: Region, within: Region | None = None) -> Mapping[sp.Basic, Array]:
    """Coordinate arrays over a region by axis symbol, each of size 1 along the other axes.

    Made from iota, so that no grid-sized constant enters a program. Periodic coordinates wrap; with
    `within`, positions outside it take the coordinate of the nearest one inside.
    """
    dtype = jnp.dtype(plan.dtype)
    dimensions = len(plan.grid)
    result: dict[sp.Basic, Array] = {}
    with placed(plan):
        for k, (axis, (start, stop)) in enumerate(zip(plan.grid, region, strict=True)):
            shape = tuple(stop - start if j == k else 1 for j in range(dimensions))
            index = lax.broadcasted_iota(jnp.int32, shape, k) + start
            if axis.periodic and (start < 0 or stop > axis.n):
                index = index % axis.n
            if within is not None and within[k] != (start, stop):
                index = jnp.clip(index, within[k][0], within[k][1] - 1)
            result[plan.system.axes[k].symbol] = axis.first + index.astype(dtype) * axis.spacing
    return result


def slab(array: Array, axis: int, start: int, stop: int) -> Array:
    """array[..., start:stop, ...] along one axis, with static bounds."""
    return lax.slice_in_dim(array, start, stop, axis=axis)


def window(array: Array, halo: Halo, region: Region, offset: tuple[int, ...]) -> Array:
    """The values of a halo-padded array at the positions `region + offset`."""
    lower = [h[0] + r[0] + o for h, r, o in zip(halo, region, offset, strict=True)]
    upper = [h[0] + r[1] + o for h, r, o in zip(halo, region, offset, strict=True)]
    if all(a == 0 for a in lower) and tuple(upper) == array.shape:
        return array
    return lax.slice(array, lower, upper)


def part(value: Array, region: Region) -> Array:
    """A field over a region of its nodes; a number, and an axis of size 1, stand for all of them."""
    if value.ndim == 0:
        return value
    lower = [0 if size == 1 else a for size, (a, _) in zip(value.shape, region, strict=True)]
    upper = [1 if size == 1 else b for size, (_, b) in zip(value.shape, region, strict=True)]
    return lax.slice(value, lower, upper)


def grow(region: Region, widths: tuple[int, ...]) -> Region:
    """The region with `widths[axis]` more positions on either side."""
    return tuple((a - w, b + w) for (a, b), w in zip(region, widths, strict=True))


def nominal(expression: sp.Expr, plan: Plan) -> complex:
    """A coefficient as a number: parameters at their values, middle of the box, first time."""
    system = plan.system
    values = {p.symbol: p.value for p in system.parameters}
    for _ in values:
        expression = expression.subs(values)
    middle = {a.symbol: (g.lower + g.upper) / 2 for a, g in zip(system.axes, plan.grid, strict=True)}
    if system.time is not None:
        middle[system.time.symbol] = plan.frames[0]
    return complex(expression.subs(middle))


def nominal_condition(condition: Condition, plan: Plan) -> tuple[float, ...]:
    """Real numbers near the coefficients of a wall condition, in the phase of the highest derivative's."""
    found = [nominal(t.coefficient, plan) for t in condition.terms]
    leading = found[max(range(len(found)), key=lambda j: condition.terms[j].order)]
    if all(value.imag == 0 for value in found) or leading == 0:
        return tuple(value.real for value in found)
    return tuple((value * abs(leading) / leading).real for value in found)
