"""Flows between walls: a constraint kept exactly in every cell, its multiplier found in every rate.

With D the divergence in the cells and G its adjoint on the nodes that evolve, du/dt = f + G p, where
D G p = dD-data/dt - D f: f meets an orthogonal projection (A. J. Chorin, Math. Comp. 22 (1968) 745-762), and
Runge-Kutta steps keep D u = data, which is linear, as they are. Walls that move are in D f and need no more.
Implicit steps solve for u and p at once (`nablax.backends.differences.stokes`).

Values that jump where two walls meet (a lid) draw a flux into the one cell there. The shortest waves, which
D hardly feels and which carry as much of such a flux as the long ones, would take it through the whole box:
it is spread over the cells around the edge. What no field inside the walls changes (the net flux, and a
checkerboard that values on the walls excite) stays in D u.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends import krylov
from nablax.backends.differences import stokes
from nablax.backends.differences.cells import DIFFERENCE, MEAN, cell_basis, spread_inwards, to_cells, to_nodes
from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.kernels import times
from nablax.backends.differences.layout import Region, coordinates
from nablax.backends.differences.modes import Basis, Group, backward, carried, forward, halved, matrices
from nablax.backends.differences.scheme import FiniteDifferences
from nablax.backends.differences.scheme import build as build_scheme
from nablax.backends.differences.traces import continued
from nablax.backends.differences.walls import Wall
from nablax.backends.interface import Inverse, Parameters, Unsupported, Vector
from nablax.backends.lowering import evaluate
from nablax.backends.quadrature import weights
from nablax.passes.divergence import Obstacle
from nablax.passes.jets import jets
from nablax.plan import Plan
from nablax.planning.projection import Projection, Slope, projection_of
from nablax.system import Evolution, FluxTerm, LinearTerm, System, Terms

TITLE = "projection"


@dataclass(frozen=True, slots=True)
class _Jump:
    """By how much the value on a second wall is above that on a first one, on the edge where they meet.

    `axes` and `ends` are those of the two walls, in axis order: nodes of the edge have the first one's value.
    """

    unknown: int
    axes: tuple[int, int]
    ends: tuple[tuple[int, int], tuple[int, int]]
    value: sp.Expr

    def position(self, axis: int) -> tuple[int, int]:
        """The edge's nodes along one of its axes."""
        return self.ends[self.axes.index(axis)]


@dataclass(frozen=True, slots=True)
class _Data:
    """What moves a constraint, or its rate: a source, and the jumps of wall values at edges."""

    source: sp.Expr
    jumps: tuple[_Jump, ...]


@dataclass(frozen=True)
class ProjectedDifferences:
    """Meets `Split` and `Linearised`. y holds the evolving unknowns, the carry the multiplier too, as zeros.

    `scheme` knows the equations without the multiplier, and the multiplier as a field at rest.
    """

    plan: Plan
    scheme: FiniteDifferences
    projection: Projection

    def prepare(self, params: Parameters) -> Parameters:
        """See `FiniteDifferences.prepare`."""
        return self.scheme.prepare(params)

    def tables(self, inverse: Inverse | None) -> Mapping[str, np.ndarray]:
        """The modes of the projection, and those of what steps take implicitly."""
        own = matrices((self._group,), TITLE)
        # The derivative of the rate is inverted by way of its linear part.
        return own if inverse is None else {**own, **self.scheme.tables("split")}

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        """y at the start of time, projected; see `FiniteDifferences.initial`."""
        whole = self.scheme.initial(params, fields)
        t = jnp.asarray(self.plan.frames[0], self.plan.dtype)
        return self._evolving(self._kept(whole, t, params))

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """y and its ghost nodes."""
        return self.scheme.embed(t, self._completed(y), params)

    def core(self, carry: Vector) -> Vector:
        """The nodes of the evolving unknowns."""
        return self._evolving(self.scheme.core(carry))

    def rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """dy/dt, which changes the constraint by as much as its data move."""
        return self._projected(self.scheme.rate(t, carry, params), t, params)

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """Walls set to their data, and what rounding left of the constraint taken away."""
        return self._evolving(self._kept(self.scheme.finish(t, self._completed(y), params), t, params))

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Nodal arrays by component name, the multiplier with its mean 0."""
        carry = self.embed(t, y, params)
        free = self.scheme.rate(t, carry, params)
        scalars = self.scheme.nodes.scalars(t, params)
        cells = self._multiplier(free, self._given(self._rates, scalars), scalars, params)
        whole = list(self._completed(y))
        whole[self.projection.multiplier] = self._centred(cells)
        return self.scheme.fields(t, tuple(whole), params)

    # -- the split --------------------------------------------------------------------------------

    def linear(self, y: Vector, params: Parameters) -> Vector:
        """The stiff terms, projected: they change no constraint."""
        return self._projected(self.scheme.linear(self._completed(y), params), None, params)

    def explicit_rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """rate - linear, which changes the constraint by as much as its data move."""
        return self._projected(self.scheme.explicit_rate(t, carry, params), t, params)

    def solve(self, shift: Array, right: Vector, params: Parameters) -> Vector:
        """The y with y - shift · linear(y) = right; NaN throughout where GMRES does not converge."""
        shift = jnp.asarray(shift, self.plan.dtype)
        whole, scalars = self._completed(right), self.scheme.nodes.scalars(None, params)
        fields = frozenset(s.unknown for s in self.projection.gradient)

        def viscous(arrays: Vector) -> Vector:
            return self.scheme.solve_of(fields, shift, arrays, params)

        def drawn(arrays: Vector) -> Array:
            return self._divergence(
                {s.unknown: arrays[s.unknown] for s in self.projection.divergence}, scalars
            )

        def push(cells: Array) -> Vector:
            rest = tuple(jnp.zeros_like(a) for a in whole)
            return self._pushed(rest, cells, self.projection.gradient, scalars)

        group = self._bound(params)
        symbol = halved(group, self._symbol(group, scalars, shift), True)

        def near(cells: Array) -> Array:
            return self._unmixed(group, symbol, cells)

        free = self.scheme.solve(shift, whole, params)
        excess = drawn(tuple(a - b for a, b in zip(free, whole, strict=True)))
        pushed = stokes.push_of(excess, viscous, drawn, push, near)
        return self._evolving(tuple(a + b for a, b in zip(free, pushed, strict=True)))

    def solve_linearised(
        self, shift: Array, t: Array, y: Vector, right: Vector, params: Parameters
    ) -> Vector:
        """The z with z - shift · J z = right, J the derivative of `rate` at (t, y).

        GMRES preconditioned by `solve`; NaN throughout if it does not converge.
        """
        _, jacobian = jax.linearize(lambda v: self.rate(t, self.embed(t, v, params), params), y)
        step = jnp.asarray(shift, self.plan.dtype)

        def act(vector: Vector) -> Vector:
            return tuple(a - step * b for a, b in zip(vector, jacobian(vector), strict=True))

        return krylov.solve(act, right, lambda vector: self.solve(step, vector, params))

    @property
    def iterated(self) -> bool:
        """A Stokes problem is iterated on."""
        return True

    @property
    def affine(self) -> bool:
        """Whether `linear` takes all that depends on the unknowns."""
        system = self.scheme.plan.system
        if self.scheme.traced or self.scheme.nodes.integrals or any(jets(b.data) for b in system.boundary):
            return False
        return not any(
            e.terms.nonlinear or set(e.terms.linear) - set(self.scheme.stiff[e.unknown])
            for e in system.evolution
        )

    # -- parts ------------------------------------------------------------------------------------

    def _projected(self, free: Vector, t: Array | None, params: Parameters) -> Vector:
        """free + G p, which changes the constraint as its data at t do, or not at all without t."""
        scalars = self.scheme.nodes.scalars(t, params)
        given = None if t is None else self._given(self._rates, scalars)
        found = self._multiplier(free, given, scalars, params)
        return self._evolving(self._pushed(free, found, self.projection.gradient, scalars))

    def _evolving(self, whole: Vector) -> Vector:
        return tuple(a for u, a in enumerate(whole) if u != self.projection.multiplier)

    def _completed(self, y: Vector) -> Vector:
        """Zeros for the multiplier."""
        at = self.projection.multiplier
        return (*y[:at], jnp.zeros(self.plan.shape, self.plan.dtype), *y[at:])

    def _kept(self, whole: Vector, t: Array, params: Parameters) -> Vector:
        """The nearest nodal arrays that keep the constraint."""
        scalars = self.scheme.nodes.scalars(t, params)
        held = {s.unknown for s in self.projection.divergence}
        gradient = [s for s in self.projection.gradient if s.unknown in held]
        found = self._multiplier(whole, self._given(self._data, scalars), scalars, params)
        return self._pushed(whole, found, gradient, scalars)

    def _multiplier(self, arrays: Vector, given: Array | None, scalars: Scalars, params: Parameters) -> Array:
        """Cell values p with D (arrays + G p) + given = 0."""
        excess = self._divergence({s.unknown: arrays[s.unknown] for s in self.projection.divergence}, scalars)
        if given is not None:
            excess = excess + given
        group = self._bound(params)
        return self._unmixed(group, halved(group, self._symbol(group, scalars), True), excess)

    def _bound(self, params: Parameters) -> Group:
        (group,) = carried((self._group,), TITLE, params)
        return group

    def _unmixed(self, group: Group, symbol: Array, excess: Array) -> Array:
        """Cell values over eigenvalues; nothing of what these cannot see."""
        dtype = jnp.dtype(self.plan.dtype)
        seen = symbol != 0
        inverse = jnp.where(seen, 1 / jnp.where(seen, symbol, 1), 0)
        modes = forward(group, excess, True, dtype)
        found = jnp.asarray(times(inverse, modes))
        return backward(group, found, excess.shape, True, dtype, True)

    def _divergence(self, arrays: Mapping[int, Array], scalars: Scalars) -> Array:
        """Of nodal arrays by unknown, in the cells."""
        grid = self.plan.grid
        total = jnp.zeros(tuple(a.n for a in grid), self.plan.dtype)
        for s in self.projection.divergence:
            if s.unknown in arrays:
                part = to_cells(arrays[s.unknown], grid, s.axis)
                total = total + self._number(s.coefficient, scalars) * part
        return total

    def _given(self, data: _Data, scalars: Scalars) -> Array | None:
        """What D u is to be, with the sign turned, in the cells; None for nothing."""
        total: Array | None = None
        if data.source != 0:
            total = to_cells(self._nodal(data.source, self.plan.shape, None, scalars), self.plan.grid, None)
        for jump in data.jumps:
            region = tuple(
                jump.position(k) if k in jump.axes else (1, a.n) if not a.periodic else (0, a.n)
                for k, a in enumerate(self.plan.grid)
            )
            edge = self._nodal(jump.value, tuple(b - a for a, b in region), region, scalars)
            widths = [(a, n - b) for (a, b), n in zip(region, self.plan.shape, strict=True)]
            drawn = self._divergence({jump.unknown: jnp.pad(edge, widths)}, scalars)
            spread = drawn
            for axis in jump.axes:
                spread = spread_inwards(spread, axis)
            total = drawn - spread if total is None else total + drawn - spread
        return total

    def _nodal(
        self, value: sp.Expr, shape: tuple[int, ...], region: Region | None, scalars: Scalars
    ) -> Array:
        """A function of space and time on the nodes of a region, on all of them by default."""
        here = region or tuple((0, n) for n in self.plan.shape)
        (found,) = evaluate([value], {**scalars, **coordinates(self.plan, here)})
        return jnp.broadcast_to(jnp.asarray(found, self.plan.dtype), shape)

    def _symbol(self, group: Group, scalars: Scalars, shift: Array | None = None) -> Array:
        """The eigenvalues of -D G, exactly zero for what it cannot see; with a shift about those of
        -D (I - shift L)^(-1) G, exact for waves that meet no wall."""
        lines = [self._spectra(b, k) for k, b in enumerate(group.bases)]
        back = {s.unknown: s.coefficient for s in self.projection.gradient}
        total = jnp.zeros((1,) * len(lines), self.plan.dtype)
        for s in self.projection.divergence:
            product = self._number(s.coefficient * back.get(s.unknown, sp.S.Zero), scalars)
            for k, (mean, difference) in enumerate(lines):
                product = product * (difference if k == s.axis else mean)
            if shift is not None:
                product = product / (1 + shift * self._friction(s.unknown, lines, scalars))
            total = total + product
        return total

    def _spectra(self, basis: Basis, axis: int) -> tuple[Array, Array]:
        assert basis.symbols is not None
        shape = tuple(-1 if k == axis else 1 for k in range(len(self.plan.grid)))
        mean, difference = (
            basis.symbols[m].astype(self.plan.dtype).reshape(shape) for m in (MEAN, DIFFERENCE)
        )
        return mean, difference

    def _friction(self, unknown: int, lines: Sequence[tuple[Array, Array]], scalars: Scalars) -> Array:
        """About the eigenvalues of -L on one unknown, never below zero."""
        total = jnp.zeros((), self.plan.dtype)
        for term in self.scheme.stiff[unknown]:
            if term.unknown != unknown or any(order % 2 for order in term.orders):
                continue
            part = self._number(-term.coefficient, scalars)
            for order, (_, difference) in zip(term.orders, lines, strict=True):
                part = part * (-difference) ** (order // 2)
            total = total + part
        return jnp.maximum(total, 0)

    def _pushed(self, arrays: Vector, cells: Array, gradient: Sequence[Slope], scalars: Scalars) -> Vector:
        """arrays + G p, on the nodes that evolve."""
        nodes, result = self.scheme.nodes, list(arrays)
        for s in gradient:
            slope = self._number(s.coefficient, scalars) * to_nodes(cells, self.plan.grid, s.axis)
            push = nodes.surround(nodes.inside(slope, s.unknown), s.unknown)
            result[s.unknown] = result[s.unknown] + push.astype(result[s.unknown].dtype)
        return tuple(result)

    def _centred(self, cells: Array) -> Array:
        """Cell values on the nodes, continued to the walls, their mean taken away."""
        nodal = to_nodes(cells, self.plan.grid, None)
        for k, axis in enumerate(self.plan.grid):
            if not axis.periodic:
                inner = tuple(slice(1, -1) if j == k else slice(None) for j in range(nodal.ndim))
                nodal = continued(nodal[inner], k, 1, self.plan.order)
        mean = nodal
        for axis in self.plan.grid:
            share = jnp.asarray(weights(axis, self.plan.order) / axis.length, self.plan.dtype)
            mean = jnp.tensordot(share, mean, axes=(0, 0))
        return nodal - mean

    def _number(self, coefficient: sp.Expr, scalars: Scalars) -> Array:
        (value,) = evaluate([coefficient], scalars)
        return jnp.asarray(value, self.plan.dtype)

    @cached_property
    def _data(self) -> _Data:
        return _Data(self.projection.source, tuple(_jumps(self.scheme, self.projection)))

    @cached_property
    def _rates(self) -> _Data:
        """Those of the data."""
        time = self.plan.system.time
        assert time is not None
        jumps = (replace(j, value=sp.diff(j.value, time.symbol)) for j in self._data.jumps)
        return _Data(sp.diff(self._data.source, time.symbol), tuple(j for j in jumps if j.value != 0))

    @cached_property
    def _group(self) -> Group:
        """The modes of the cells, by which fields of the constraint evolve on which walls."""
        places, grid = self.scheme.nodes.places, self.plan.grid
        bases = []
        for k, axis in enumerate(grid):
            beside = [places[s.unknown].evolving[k] for s in self.projection.divergence if s.axis != k]
            first, last = beside[0] if beside else (1, axis.points - 1)
            bases.append(cell_basis(axis, (first == 0, last == axis.points)))
        return Group((), tuple((0, a.n) for a in grid), tuple(bases), True)


def _jumps(scheme: FiniteDifferences, projection: Projection) -> Iterator[_Jump]:
    """Edges at which the values that walls give to a field of the constraint do not agree."""
    plan = scheme.plan

    def at(wall: Wall) -> tuple[tuple[int, int], dict[sp.Basic, sp.Expr]]:
        axis, n = plan.system.axes[wall.axis], plan.grid[wall.axis].points
        place = (n - 1, n) if wall.side else (0, 1)
        return place, {axis.symbol: (axis.lower, axis.upper)[wall.side]}

    for s in projection.divergence:
        for first, second in combinations(scheme.nodes.places[s.unknown].held, 2):
            if first.axis == second.axis:
                continue
            assert first.pinned is not None
            assert second.pinned is not None
            (one, here), (other, there) = at(first), at(second)
            value = sp.expand((second.pinned - first.pinned).subs({**here, **there}))
            if value != 0:
                yield _Jump(s.unknown, (first.axis, second.axis), (one, other), value)


def build_projected(plan: Plan) -> ProjectedDifferences:
    """The scheme of a plan with `method == "fd"` and a constraint that acts through a multiplier.

    Raises Unsupported like `scheme.build`, and for a constraint that no projection keeps.
    """
    found = projection_of(plan.system)
    if isinstance(found, Obstacle):
        raise Unsupported(f"a constraint that no projection keeps: {found.reason}", found.span)
    scheme = build_scheme(replace(plan, system=_released(plan.system, found.multiplier)))
    return ProjectedDifferences(plan, scheme, found)


def _released(system: System, multiplier: int) -> System:
    """The evolution without the constraint, the multiplier at rest in it.

    Of nonlinear terms it takes the mean of the conservative and the expanded form: where the constraint makes
    the two equal, as a divergence does for what it carries, the differences of the mean neither make nor lose
    energy (Y. Morinishi, T. S. Lund, O. V. Vasilyev, P. Moin, J. Comput. Phys. 143 (1998) 90-124).
    """
    zero = (0,) * len(system.axes)
    unknown = system.unknowns[multiplier]
    mass = (LinearTerm(sp.S.One, multiplier, zero, sp.S.One, unknown.span),)
    rest = Evolution(unknown.name, multiplier, mass, Terms(), unknown.span)
    evolution = [replace(e, terms=_alone(e.terms, multiplier)) for e in system.evolution]
    return replace(
        system,
        unknowns=tuple(replace(u, algebraic=False) for u in system.unknowns),
        evolution=tuple(sorted((*evolution, rest), key=lambda e: e.unknown)),
        constraints=(),
        initial=tuple(sp.S.Zero if i == multiplier else v for i, v in enumerate(system.initial)),
    )


def _alone(terms: Terms, multiplier: int) -> Terms:
    linear = tuple(t for t in terms.linear if t.unknown != multiplier)
    mixed = tuple(_half(t) for t in (*terms.nonlinear, *terms.conservative))
    if terms.nonlinear == terms.conservative:
        mixed = terms.nonlinear
    return replace(terms, linear=linear, nonlinear=mixed, conservative=mixed)


def _half(term: FluxTerm) -> FluxTerm:
    return replace(term, coefficient=term.coefficient / 2)
