"""Fractional operators of unknowns as sums over points all around: what a residual needs to know there.

Two-sided operators over all of space are integrals along rays,

    (-Δ)^(α/2) u(x) = c ∫ dθ ∫_0^∞ [u(x) - u(x + rθ)] r^(-1-α) dr,   0 < α < 2,

over the unit vectors θ, by a rule that is symmetric in them (M. Kwaśnicki, Fract. Calc. Appl. Anal. 20 (2017)
7, whose singular integral this is in polar coordinates). Near x, up to r = ρ, the difference is taken by its
second derivative along the ray, ∫_0^ρ u_θθ(x + rθ) K(r) dr with K(r) = ∫_r^ρ (t - r) t^(-1-α) dt: nothing
cancels, and α = 1 is no exception.

Operators with a basis of sines, cosines or Fourier modes are sums over a lattice of points through x, which
are exact for as many modes as the lattice resolves (L. N. Trefethen, Spectral Methods in MATLAB, 2000,
chapter 3): walls with a value or a slope of zero mirror the field, oddly or evenly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.derivatives import quadrature
from nablax.nonlocal_operators import (
    BOX,
    Around,
    BoundedRiesz,
    IntegralLaplacian,
    Modal,
    Outside,
    RieszDerivative,
    SpectralLaplacian,
)
from nablax.passes.jets import base, jets, orders_of, slope_of
from nablax.problem import Axis, Problem, Side

SIDES: tuple[Side, Side] = (0, 1)
MOST_DIMENSIONS = 3  # with a rule for all directions; above, directions are drawn at random


@dataclass(frozen=True, slots=True)
class Rays:
    """How many nodes: `near` and `far` along a ray, `beyond` it; directions for the near part (in the plane,
    polar angles in space), for the far part of a round region, and for each face of a box; `drawn` where
    directions are random; `modes` of a lattice along its axes in one, two and three dimensions."""

    near: int
    far: int
    beyond: int
    around: tuple[int, int]
    round: tuple[int, int]
    face: tuple[int, int]
    drawn: int
    modes: tuple[int, int, int]


SINGLE_RAYS = Rays(4, 12, 8, (8, 4), (24, 8), (6, 4), 32, (32, 24, 12))
DOUBLE_RAYS = Rays(8, 20, 16, (16, 6), (40, 12), (12, 6), 32, (48, 32, 16))


@dataclass(frozen=True, slots=True)
class RaySum:
    """(-Δ)^(order/2) of a jet along axes, zero outside its support (`BOX`, `BALL` or `SPACE`) or, with
    `outside`, that function there. `near` has the nodes of the near part; `drawn` directions
    are random, 0 where a rule has them all. The order is a number unless it holds an unknown.
    """

    jet: sp.Expr
    order: sp.Expr
    axes: tuple[sp.Symbol, ...]
    support: sp.Integer
    outside: sp.Expr
    rays: Rays
    near: tuple[float, ...]
    drawn: int
    stand_in: sp.Dummy


@dataclass(frozen=True, slots=True)
class LatticeSum:
    """(-Δ)^(order/2) of a jet along axes by its modes; `count` nodes along each axis' period. `mirrors` has,
    per axis, the signs of the images at both walls, (0, 0) where the axis is periodic. The order is a number
    unless it holds an unknown.
    """

    jet: sp.Expr
    order: sp.Expr
    axes: tuple[sp.Symbol, ...]
    mirrors: tuple[tuple[int, int], ...]
    count: int
    stand_in: sp.Dummy


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands for the operators of some statements that look all around."""

    rays: tuple[RaySum, ...] = ()
    lattices: tuple[LatticeSum, ...] = ()

    @property
    def drawn(self) -> int:
        """Directions that are drawn at random."""
        return max((r.drawn for r in self.rays), default=0)


NO_SURROUNDINGS = Surroundings()


def rays_of(asked: tuple[int, int | None] | None, single: bool) -> Rays:
    """The rule for a precision, with (nodes along a ray, directions) as they were asked for."""
    rule = SINGLE_RAYS if single else DOUBLE_RAYS
    if asked is None:
        return rule
    nodes, directions = asked
    rule = replace(rule, near=max(nodes // 2, 2), far=nodes, beyond=nodes, modes=(nodes,) * 3)
    if directions is None:
        return rule
    face = max(directions // 4, 2)
    polar = max(directions // 2, 2)
    return replace(
        rule,
        around=(max(directions // 2, 4), max(polar // 2, 2)),
        round=(directions, polar),
        face=(face, face),
        drawn=directions,
    )


def expand_surroundings(
    problem: Problem, values: Sequence[sp.Expr], rays: Rays
) -> tuple[dict[sp.Basic, sp.Expr], Surroundings]:
    """Every such operator in the values as a stand-in, and what that is."""
    found = {n for v in values for n in v.atoms(*Around, *Modal, Outside) if n.has(AppliedUndef)}
    known = {n for v in values for n in v.atoms(Outside)}
    written: dict[sp.Basic, sp.Expr] = dict.fromkeys(known, sp.S.Zero)
    nominal = {p.symbol: p.value for p in problem.parameters}
    moving = {p.symbol for p in problem.parameters if p.unknown}
    fixed = {s: v for s, v in nominal.items() if s not in moving and not v.free_symbols & moving}
    around: list[RaySum] = []
    lattices: list[LatticeSum] = []
    for node in sorted(found, key=sp.default_sort_key):
        stand_in = sp.Dummy("around", real=all(u.is_real for u in node.atoms(AppliedUndef)) or None)
        sign = -1 if isinstance(node, BoundedRiesz | RieszDerivative) else 1
        order, axes = _order_and_axes(problem, node)
        order = order.subs(fixed)
        symbols = tuple(a.symbol for a in axes)
        if isinstance(node, Around):
            support = node.args[2] if isinstance(node, IntegralLaplacian) else BOX
            outside = next((o.args[0] for o in known if _belongs(o, node)), sp.S.Zero)
            many = sum(a.size or 1 for a in axes) > MOST_DIMENSIONS
            drawn = rays.drawn if many else 0
            near = quadrature.near_nodes(rays.near, float(order.subs(nominal)))
            around.append(RaySum(node.args[0], order, symbols, support, outside, rays, near, drawn, stand_in))
        else:
            mirrors = tuple(_mirror(problem, node, a) for a in axes)
            assert all(m is not None for m in mirrors), "an operator without eigenfunctions"
            count = rays.modes[len(axes) - 1]
            lattices.append(
                LatticeSum(
                    node.args[0], order, symbols, tuple(m for m in mirrors if m is not None), count, stand_in
                )
            )
        written[node] = sign * stand_in
    return written, Surroundings(tuple(around), tuple(lattices))


def has_sum(problem: Problem, node: sp.Basic) -> bool:
    """Whether a residual can hold an operator that looks all around."""
    if not isinstance(node, (*Around, *Modal)):
        return False
    _, axes = _order_and_axes(problem, node)
    if isinstance(node, Around):
        return problem.coordinates == "cartesian" and not any(a.periodic for a in axes)
    return len(axes) <= MOST_DIMENSIONS and all(
        a.size is None and _mirror(problem, node, a) is not None for a in axes
    )


def _order_and_axes(problem: Problem, node: sp.Expr) -> tuple[sp.Expr, tuple[Axis, ...]]:
    """α of (-Δ)^(α/2), and the axes it acts along."""
    if isinstance(node, BoundedRiesz | RieszDerivative):
        return node.args[2], tuple(a for a in problem.axes if a.symbol == node.args[1])
    return 2 * node.args[1], problem.axes


def _belongs(outside: Outside, node: sp.Expr) -> bool:
    """Whether a known exterior is that of an operator."""
    name = str(outside.args[3])
    return (
        isinstance(node, IntegralLaplacian)
        and isinstance(node.args[0], AppliedUndef)
        and node.args[0].func.__name__ == name
        and node.args[1] == outside.args[1]
    )


def _mirror(problem: Problem, node: sp.Expr, axis: Axis) -> tuple[int, int] | None:
    """The signs of the images of the field at the ends of an axis; None where it has none."""
    if isinstance(node, SpectralLaplacian) and node.args[2] != 1:
        return None
    if axis.periodic:
        return (0, 0)
    if not isinstance(node, SpectralLaplacian) or not isinstance(node.args[0], AppliedUndef):
        return None
    signs = [_image(problem, node.args[0], axis, side) for side in SIDES]
    return None if None in signs else (signs[0] or 0, signs[1] or 0)


def _image(problem: Problem, value: AppliedUndef, axis: Axis, side: Side) -> int | None:
    """-1 at a wall with the value zero, 1 at one with the slope zero."""
    own = [
        b
        for b in problem.boundary
        if b.axis == axis.name and b.side == side and {base(j) for j in jets(b.residual)} == {value}
    ]
    if len(own) != 1 or len(held := jets(own[0].residual)) != 1:
        return None
    (jet,) = held
    slope = slope_of(own[0].residual, jet)
    if slope is None or sp.expand(own[0].residual - slope * jet) != 0:
        return None
    orders = orders_of(jet, problem.symbols)
    if not any(orders):
        return -1
    return 1 if sum(orders) == 1 and jet.has(axis.symbol) and orders[problem.axes.index(axis)] == 1 else None
