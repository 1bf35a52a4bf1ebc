"""Finite differences on a box: a plan as a system of ordinary differential equations at the nodes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.branches import apart
from nablax.backends.differences import implicit
from nablax.backends.differences.eigenmodes import eigenmodes_of
from nablax.backends.differences.equations import RightSide, right_side
from nablax.backends.differences.exterior import exteriors
from nablax.backends.differences.halo import Scalars
from nablax.backends.differences.held import HeldWall, replaced, traced_walls, with_rates, with_values
from nablax.backends.differences.implicit import Entry, LinearOperator, entry
from nablax.backends.differences.layout import conservative, coordinates, places
from nablax.backends.differences.linearisation import coupling_of, implicit_groups, jacobian
from nablax.backends.differences.modes import Group, carried, matrices
from nablax.backends.differences.nodes import Nodes
from nablax.backends.differences.operators import operators
from nablax.backends.differences.traces import on_wall
from nablax.backends.differences.walls import Wall
from nablax.backends.differences.wide import WideHalo, wide_halo
from nablax.backends.integrals import collected
from nablax.backends.interface import Eigenmodes, Inverse, Parameters, Unsupported, Vector
from nablax.backends.lowering import Operand, evaluate
from nablax.backends.noise import noise
from nablax.plan import Plan
from nablax.planning.treatment import is_stiff
from nablax.reductions import Noise
from nablax.system import Evolution, LinearTerm


@dataclass(frozen=True)
class FiniteDifferences:
    """Centred differences of order `plan.order`; meets `Split` and `Linearised`.

    y holds one array of shape `plan.shape` per unknown, both walls of a bounded axis included. The carry
    is y with ghost nodes attached. `stiff[i]` are the terms of equation i that make up L.
    """

    plan: Plan
    nodes: Nodes
    sides: tuple[RightSide, ...]
    stiff: tuple[tuple[LinearTerm, ...], ...]
    linear_sides: tuple[RightSide, ...]
    explicit_sides: tuple[RightSide, ...]
    traced: tuple[HeldWall, ...]

    @property
    def ghostless(self) -> bool:
        """Whether no stencil reads beyond the nodes."""
        return all(halo == (0, 0) for place in self.nodes.places for halo in place.halo)

    # -- what every scheme does -------------------------------------------------------------------

    def prepare(self, params: Parameters) -> Parameters:
        """The parameters, and the kernels of nonlocal operators."""
        scalars = self.nodes.scalars(None, params)
        return {**params, **{o.key.name: jnp.asarray(scalars[o.key]) for o in self.nodes.prepared}}

    def tables(self, inverse: Inverse | None) -> Mapping[str, np.ndarray]:
        """The eigenvectors that an inverse takes."""
        if inverse is None:
            return {}
        groups = self._operator.groups if inverse == "split" else self._jacobian[1]
        return matrices(groups, inverse)

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        """y at the start of time, walls pinned to their Dirichlet values.

        `fields` holds arrays of shape `plan.shape` by name of component (or of a rate, `dt(w)`), which
        replace the spec's data. Raises ValueError for another shape.
        """
        plan, system = self.plan, self.plan.system
        scalars = self.nodes.scalars(jnp.asarray(plan.frames[0], plan.dtype), params)
        here = {**scalars, **coordinates(plan, tuple((0, n) for n in plan.shape))}
        arrays = []
        for u, unknown in enumerate(system.unknowns):
            given, expression = fields.get(unknown.name), system.initial[u]
            if given is not None:
                if jnp.shape(given) != plan.shape:
                    raise ValueError(
                        f"field `{unknown.name}` has shape {jnp.shape(given)}, the grid {plan.shape}"
                    )
                found = jnp.asarray(given)
            elif expression is not None:
                smooth, grains = _noise(expression, plan)
                found = jnp.asarray(evaluate([smooth], {**here, **grains})[0])
            else:
                raise Unsupported(f"`{unknown.name}` has no initial data", unknown.span)
            arrays.append(jnp.broadcast_to(self.nodes.cast(found, u), plan.shape))
        return self._pinned(tuple(arrays), scalars, always=True)

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """y with its ghost nodes."""
        if self.ghostless:
            return y
        return apart(jnp.isfinite(t), self._traced_once, t, y, params)

    @cached_property
    def _traced_once(self) -> Callable[[Array, Vector, Parameters], Vector]:
        """One program for the stages of all steps."""
        embedded: Callable[[Array, Vector, Parameters], Vector] = jax.jit(self._embedded)
        return embedded

    def _embedded(self, t: Array, y: Vector, params: Parameters) -> Vector:
        arrays = dict(enumerate(y))
        scalars = self.nodes.valued(self.nodes.scalars(t, params), arrays)
        return tuple(self.nodes.padded(arrays, scalars, homogeneous=False).values())

    def core(self, carry: Vector) -> Vector:
        """The nodes of a halo-padded carry."""
        return self.nodes.core(carry)

    def rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """dy/dt; on a Dirichlet wall the time derivative of its data."""
        return self._rate(self.sides, carry, self._scalars(t, carry, params))

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """Dirichlet walls whose data depend on time are set to them; others never leave their values."""
        return self._pinned(y, self.nodes.scalars(t, params), always=False)

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Nodal arrays by component name, without the rates."""
        unknowns = self.plan.system.unknowns
        return {u.name: array for u, array in zip(unknowns, y, strict=True) if u.rate_of is None}

    # -- the split --------------------------------------------------------------------------------

    def linear(self, y: Vector, params: Parameters) -> Vector:
        """L y: the stiff terms with homogeneous wall conditions; zero on Dirichlet walls."""
        return self._linear(y, self.nodes.scalars(None, params), homogeneous=True)

    def explicit_rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """rate - L y: the other terms, and what inhomogeneous wall data add to the stiff ones."""
        scalars = self._scalars(t, carry, params)
        rest = self._rate(self.explicit_sides, carry, scalars)
        if not self._driven:
            return rest
        zero = tuple(jnp.zeros(self.plan.shape, a.dtype) for a in carry)
        driven = self._linear(zero, scalars, homogeneous=False, state=self.nodes.core(carry))
        return tuple(a + b for a, b in zip(rest, driven, strict=True))

    def solve(self, shift: Array, right: Vector, params: Parameters) -> Vector:
        """The y with y - shift · L y = right.

        Directly, by fast diagonalisation, where coefficients are constant and the one-dimensional
        operators of each axis share their eigenvectors; by GMRES preconditioned with the same solve for
        averaged coefficients otherwise, and then NaN throughout if it does not converge.
        """
        return self.solve_of(frozenset(range(len(right))), shift, right, params)

    def solve_of(self, among: frozenset[int], shift: Array, right: Vector, params: Parameters) -> Vector:
        """The same for `among` and what they are coupled with; of all other unknowns `right`."""
        shift = jnp.asarray(shift, self.plan.dtype)
        groups = carried(self._operator.groups, "split", params)
        operator = replace(self._operator, groups=tuple(g for g in groups if among & set(g.members)))
        return implicit.solve(operator, shift, right, self.nodes.scalars(None, params))

    def eigenmodes(self, equation: int, field: int, params: Parameters) -> Eigenmodes:
        """Those of the part of L that acts on `field` in an equation, on its evolving nodes."""
        operator = replace(self._operator, groups=carried(self._operator.groups, "split", params))
        return eigenmodes_of(operator, equation, field, self.nodes.scalars(None, params))

    @property
    def iterated(self) -> bool:
        """Whether `solve` iterates for an unknown."""
        return not all(self._operator.direct(group) for group in self._operator.groups)

    def solve_linearised(
        self, shift: Array, t: Array, y: Vector, right: Vector, params: Parameters
    ) -> Vector:
        """The z with z - shift · J z = right, J the derivative of `rate` at (t, y).

        GMRES on Jacobian-vector products, preconditioned with the modal solve of the Jacobian whose
        coefficients are averaged over the grid; NaN throughout if it does not converge.
        """
        entries, groups = self._jacobian
        return implicit.solve_linearised(
            self.nodes,
            entries,
            carried(groups, "jacobian", params),
            lambda v: self.rate(t, self.embed(t, v, params), params),
            jnp.asarray(shift, self.plan.dtype),
            y,
            right,
            self.nodes.valued(self.nodes.scalars(t, params), dict(enumerate(y))),
            coupled=bool(self.traced),
        )

    @cached_property
    def wide(self) -> WideHalo | None:
        """The same right-hand side on arrays that reach far beyond the grid, where that is possible."""
        return wide_halo(self.nodes, self.sides)

    # -- parts ------------------------------------------------------------------------------------

    @cached_property
    def _operator(self) -> LinearOperator:
        # Eigenvectors are computed on first use: explicit runs never need them.
        entries = tuple(
            entry(self.nodes, coupling_of(u, term, self.nodes.operators), term.coefficient)
            for u, terms in enumerate(self.stiff)
            for term in terms
        )
        groups = implicit_groups(self.plan, self.nodes.places, [e.coupling for e in entries])
        return LinearOperator(self.nodes, self.linear_sides, entries, groups)

    @cached_property
    def _jacobian(self) -> tuple[tuple[Entry, ...], tuple[Group, ...]]:
        entries = tuple(entry(self.nodes, c, e) for c, e in jacobian(self.plan, self.nodes.operators))
        return entries, implicit_groups(self.plan, self.nodes.places, [e.coupling for e in entries])

    @cached_property
    def _driven(self) -> bool:
        """Whether a wall condition that L reads has data other than zero."""
        reads = {part.unknown for side in self.linear_sides for part in side.linear}
        walls = [
            wall for v in reads for pair in self.nodes.places[v].walls if pair is not None for wall in pair
        ]
        return any(c.data != 0 for wall in walls if wall.halo for c in wall.conditions)

    def _scalars(self, t: Array, carry: Vector, params: Parameters) -> Scalars:
        scalars = self.nodes.scalars(t, params)
        if not (self.nodes.integrals or self.nodes.prepared):
            return scalars
        return self.nodes.valued(scalars, dict(enumerate(self.nodes.core(carry))))

    def _rate(self, sides: tuple[RightSide, ...], carry: Vector, scalars: Scalars) -> Vector:
        padded = dict(enumerate(carry))
        time = self.plan.system.time
        result = []
        for u, side in enumerate(sides):
            moving: dict[Wall, sp.Expr | Array] = {}
            for wall in self.nodes.places[u].held:
                rate = wall.moving
                if wall.pinned is not None:
                    rate = sp.Integer(0) if time is None else sp.diff(wall.pinned, time.symbol)
                assert rate is not None
                if rate != 0 and not self._traced(u, wall):
                    moving[wall] = rate
            if moving:
                inner = self.nodes.inner(side, u, padded, scalars)
                result.append(self.nodes.surround(inner, u, moving, scalars))
            else:
                result.append(self.nodes.whole(side, u, padded, scalars))
        if not self.traced:
            return tuple(result)
        return with_rates(self.traced, self.nodes, self.nodes.core(carry), tuple(result), scalars)

    def _traced(self, unknown: int, wall: Wall) -> bool:
        return any((h.unknown, h.wall) == (unknown, wall) for h in self.traced)

    def _linear(self, y: Vector, scalars: Scalars, homogeneous: bool, state: Vector | None = None) -> Vector:
        at = None if state is None else dict(enumerate(state))
        padded = self.nodes.padded(dict(enumerate(y)), scalars, homogeneous, at)
        known = self.nodes.acted(scalars, dict(enumerate(y)))
        return tuple(self.nodes.whole(side, u, padded, known) for u, side in enumerate(self.linear_sides))

    def _pinned(self, y: Vector, scalars: Scalars, always: bool) -> Vector:
        time = self.plan.system.time
        result = []
        for u, array in enumerate(y):
            walls = {
                w: w.pinned
                for w in self.nodes.places[u].held
                if w.pinned is not None and not self._traced(u, w)
            }
            moving = time is not None and any(value.has(time.symbol) for value in walls.values())
            if walls and (always or moving):
                if len(walls) < len(self.nodes.places[u].held):
                    given = {
                        w: jnp.asarray(on_wall([v], w, self.plan, {}, scalars)[0]) for w, v in walls.items()
                    }
                    array = replaced(self.nodes, array, u, given)
                else:
                    array = self.nodes.surround(self.nodes.inside(array, u), u, walls, scalars)
            result.append(array)
        if not self.traced:
            return tuple(result)
        return with_values(self.traced, self.nodes, tuple(result), scalars, at_first=always)


def _noise(expression: sp.Expr, plan: Plan) -> tuple[sp.Expr, Mapping[sp.Basic, Operand]]:
    """The expression with symbols for its noise, which SymPy would take for a number, and their values."""
    nodes = sorted(expression.atoms(Noise), key=sp.default_sort_key)
    symbols = {node: sp.Dummy(real=True) for node in nodes}
    values = {s: jnp.asarray(noise(int(n.args[0]), plan.shape), plan.dtype) for n, s in symbols.items()}
    return expression.xreplace(symbols), values


def build(plan: Plan, determined: frozenset[int] = frozenset()) -> FiniteDifferences:
    """The scheme of a plan with `method == "fd"`.

    L takes the linear terms that are stiff (`nablax.planning.treatment.is_stiff`), none of or for the
    unknowns `determined` otherwise. Raises Unsupported for constraints, mass operators, Fourier
    multipliers and boundary conditions it cannot close.
    """
    system = plan.system
    if system.constraints or any(u.algebraic for u in system.unknowns):
        raise Unsupported("constraints and algebraic unknowns have no finite-difference scheme")
    if plan.order not in (2, 4, 6, 8):
        raise Unsupported(f"finite differences have order 2, 4, 6 or 8, not {plan.order}")
    equations = {e.unknown: e for e in system.evolution}
    ordered = [equations[u] for u in range(len(system.unknowns))]
    for equation in ordered:
        _plain_mass(equation)
    where = places(plan)
    everything, stiff, linear, explicit = [], [], [], []
    for equation in ordered:
        terms = equation.terms
        others = (*conservative(terms, plan.grid), *terms.forcing)
        held = tuple(
            t
            for t in terms.linear
            if is_stiff(system, equation, t) and not {t.unknown, equation.unknown} & determined
        )
        rest = tuple(t for t in terms.linear if t not in held)
        everything.append(right_side(plan, terms.linear, others))
        stiff.append(held)
        linear.append(right_side(plan, held, ()))
        explicit.append(right_side(plan, rest, others))
    integrals = collected([*_fluxes(plan, ordered), *(b.data for b in system.boundary)])
    nodes = Nodes(plan, where, integrals, operators(plan, where), exteriors(plan))
    return FiniteDifferences(
        plan,
        nodes,
        tuple(everything),
        tuple(stiff),
        tuple(linear),
        tuple(explicit),
        traced_walls(plan, nodes),
    )


def _fluxes(plan: Plan, equations: Sequence[Evolution]) -> list[sp.Expr]:
    return [f.flux for e in equations for f in conservative(e.terms, plan.grid)]


def _plain_mass(equation: Evolution) -> None:
    if len(equation.mass) == 1:
        (term,) = equation.mass
        plain = term.coefficient == 1 and term.multiplier == 1 and not any(term.orders)
        if plain and term.unknown == equation.unknown:
            return
    raise Unsupported("a time derivative under an operator has no finite-difference scheme", equation.span)
