"""Finite differences on a box: a plan as a system of ordinary differential equations at the nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.differences.equations import RightSide, right_side, value
from nablax.backends.differences.halo import Scalars, pad, wall_values
from nablax.backends.differences.layout import (
    Place,
    conservative,
    coordinates,
    places,
    slab,
)
from nablax.backends.differences.walls import Wall
from nablax.backends.interface import Parameters, Unsupported, Vector
from nablax.backends.lowering import Operand, evaluate
from nablax.backends.noise import noise
from nablax.plan import Plan
from nablax.reductions import Noise
from nablax.system import Evolution, LinearTerm


@dataclass(frozen=True)
class FiniteDifferences:
    """Centred differences of order `plan.order`; meets `Split`, `Linearised`.

    y holds one array of shape `plan.shape` per unknown, both walls of a bounded axis included. The carry
    is y with ghost nodes attached. `stiff[i]` are the terms of equation i that make up L.
    """

    plan: Plan
    places: tuple[Place, ...]
    sides: tuple[RightSide, ...]
    stiff: tuple[tuple[LinearTerm, ...], ...]
    linear_sides: tuple[RightSide, ...]
    explicit_sides: tuple[RightSide, ...]

    # -- what every scheme does -------------------------------------------------------------------

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        """y at the start of time, walls pinned to their Dirichlet values.

        `fields` holds arrays of shape `plan.shape` by name of component (or of a rate, `dt(w)`), which
        replace the spec's data. Raises ValueError for another shape.
        """
        plan, system = self.plan, self.plan.system
        time = jnp.asarray(plan.frames[0], plan.dtype)
        scalars = self.scalars(time, params)
        here = {**scalars, **coordinates(plan, tuple((0, n) for n in plan.shape))}
        arrays = []
        for i, unknown in enumerate(system.unknowns):
            dtype = self._dtype(i)
            given = fields.get(unknown.name)
            if given is not None:
                if jnp.shape(given) != plan.shape:
                    raise ValueError(
                        f"field `{unknown.name}` has shape {jnp.shape(given)}, the grid {plan.shape}"
                    )
                arrays.append(jnp.asarray(given, dtype))
                continue
            expression = system.initial[i]
            if expression is None:
                raise Unsupported(f"`{unknown.name}` has no initial data", unknown.span)
            environment = {**here, **self._noise(expression)}
            found = jnp.asarray(evaluate([expression], environment)[0])
            if jnp.iscomplexobj(found) and not unknown.complex:
                found = jnp.real(found)
            arrays.append(jnp.broadcast_to(found.astype(dtype), plan.shape))
        return self._pinned(tuple(arrays), scalars, always=True)

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """y with its ghost nodes."""
        return self._pad(y, self.scalars(t, params), homogeneous=False)

    def core(self, carry: Vector) -> Vector:
        """The nodes of a halo-padded carry."""
        result = []
        for array, place in zip(carry, self.places, strict=True):
            for k, (lower, _) in enumerate(place.halo):
                array = slab(array, k, lower, lower + self.plan.shape[k])
            result.append(array)
        return tuple(result)

    def rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """dy/dt; on a Dirichlet wall the time derivative of its data."""
        scalars = self.scalars(t, params)
        return self._rate(self.sides, carry, scalars, moving=True)

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        """Dirichlet walls whose data depend on time are set to them; others never leave their values."""
        return self._pinned(y, self.scalars(t, params), always=False)

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Nodal arrays by component name, without the rates."""
        unknowns = self.plan.system.unknowns
        return {u.name: array for u, array in zip(unknowns, y, strict=True) if u.rate_of is None}

    # -- the split --------------------------------------------------------------------------------

    def linear(self, y: Vector, params: Parameters) -> Vector:
        """L y: the stiff terms with homogeneous wall conditions; zero on Dirichlet walls."""
        scalars = self.scalars(None, params)
        return self._rate(self.linear_sides, self._pad(y, scalars, homogeneous=True), scalars, moving=False)

    def explicit_rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """rate - L y: the other terms, and what inhomogeneous wall data add to the stiff ones."""
        scalars = self.scalars(t, params)
        rest = self._rate(self.explicit_sides, carry, scalars, moving=True)
        if not self._driven:
            return rest
        zero = tuple(jnp.zeros(self.plan.shape, self._dtype(i)) for i in range(len(self.places)))
        ghosts = self._pad(zero, scalars, homogeneous=False)
        driven = self._rate(self.linear_sides, ghosts, scalars, moving=False)
        return tuple(a + b for a, b in zip(rest, driven, strict=True))

    @cached_property
    def _driven(self) -> bool:
        """Whether a wall condition that L reads has data other than zero."""
        reads = {p.unknown for side in self.linear_sides for p in side.linear}
        return any(
            c.data != 0 and w.halo
            for v in reads
            for pair in self.places[v].walls
            if pair is not None
            for w in pair
            for c in w.conditions
        )

    # -- parts ------------------------------------------------------------------------------------

    def scalars(self, t: Array | None, params: Parameters) -> Scalars:
        """Values of parameters and time by symbol."""
        dtype = jnp.dtype(self.plan.dtype)
        result: dict[sp.Basic, Operand] = {
            p.symbol: jnp.asarray(params[p.name], dtype)
            for p in self.plan.system.parameters
            if p.name in params
        }
        if t is not None and self.plan.system.time is not None:
            result[self.plan.system.time.symbol] = jnp.asarray(t, dtype)
        return result

    def _dtype(self, unknown: int) -> jnp.dtype:
        real = jnp.dtype(self.plan.dtype)
        return jnp.result_type(real, jnp.complex64) if self.places[unknown].complex else real

    def _pad(self, y: Vector, scalars: Scalars, homogeneous: bool) -> Vector:
        return tuple(
            pad(array, place, self.plan, scalars, homogeneous)
            for array, place in zip(y, self.places, strict=True)
        )

    def _rate(self, sides: tuple[RightSide, ...], carry: Vector, scalars: Scalars, moving: bool) -> Vector:
        result = []
        for i, (side, place) in enumerate(zip(sides, self.places, strict=True)):
            region = place.evolving
            found = jnp.asarray(value(side, region, carry, self.places, self.plan, scalars))
            if jnp.iscomplexobj(found) and not place.complex:
                found = jnp.real(found)
            inner = jnp.broadcast_to(found.astype(self._dtype(i)), tuple(b - a for a, b in region))
            rates = self._wall_rates(place) if moving else {}
            result.append(self._surround(inner, place, rates, scalars))
        return tuple(result)

    def _wall_rates(self, place: Place) -> Mapping[Wall, sp.Expr]:
        time = self.plan.system.time
        if time is None:
            return {}
        rates = {w: sp.diff(w.pinned, time.symbol) for w in place.pinned}
        return {w: r for w, r in rates.items() if r != 0}

    def _surround(self, inner: Array, place: Place, rates: Mapping[Wall, sp.Expr], scalars: Scalars) -> Array:
        """Values on the evolving nodes, completed by those on the pinned walls (zero where not given)."""
        if not rates:
            widths = [(a, n - b, 0) for (a, b), n in zip(place.evolving, self.plan.shape, strict=True)]
            if any(lo or hi for lo, hi, _ in widths):
                # On CPU one pad of the interior is faster than concatenating zeros.
                return jnp.pad(inner, [(lo, hi) for lo, hi, _ in widths])
            return inner
        # The last axis first: an earlier axis owns the corners.
        for k in reversed(range(inner.ndim)):
            pair = place.walls[k]
            if pair is None:
                continue
            blocks = [inner]
            for wall in pair:
                if wall.pinned is None:
                    continue
                block = self._on_wall(rates.get(wall, sp.Integer(0)), wall, inner, place, scalars)
                blocks = [block, *blocks] if wall.side == 0 else [*blocks, block]
            inner = jnp.concatenate(blocks, axis=k) if len(blocks) > 1 else inner
        return inner

    def _on_wall(
        self, expression: sp.Expr, wall: Wall, inner: Array, place: Place, scalars: Scalars
    ) -> Array:
        """An expression on a wall, over the nodes that `inner` already covers along the other axes."""
        k = wall.axis
        found = jnp.asarray(
            wall_values([expression], wall, self.plan, scalars, [(0, 0)] * inner.ndim, False)[0]
        )
        if jnp.iscomplexobj(found) and not jnp.iscomplexobj(inner):
            found = jnp.real(found)
        whole = tuple(1 if j == k else n for j, n in enumerate(self.plan.shape))
        block = jnp.broadcast_to(found.astype(inner.dtype), whole)
        for j, (lower, upper) in enumerate(place.evolving):
            if j < k:
                block = slab(block, j, lower, upper)
        return block

    def _pinned(self, y: Vector, scalars: Scalars, always: bool) -> Vector:
        time = self.plan.system.time
        result = []
        for array, place in zip(y, self.places, strict=True):
            walls = {w: w.pinned for w in place.pinned if w.pinned is not None}
            if always or (time is not None and any(p.has(time.symbol) for p in walls.values())):
                for k, (lower, upper) in enumerate(place.evolving):
                    array = slab(array, k, lower, upper)
                array = self._surround(array, place, walls, scalars)
            result.append(array)
        return tuple(result)

    def _noise(self, expression: sp.Expr) -> Mapping[sp.Basic, Operand]:
        return {
            node: jnp.asarray(noise(int(node.args[0]), self.plan.shape), self.plan.dtype)
            for node in expression.atoms(Noise)
        }


def build(plan: Plan, implicit_order: int = 2) -> FiniteDifferences:
    """The scheme of a plan with `method == "fd"`.

    L takes the linear terms with coefficients constant in time whose derivatives have at least
    `implicit_order` in total, and the definitions of rates, without which a stiff second-order equation
    would not be implicit at all. Raises Unsupported for constraints, mass operators, Fourier multipliers
    and boundary conditions it cannot close.
    """
    system = plan.system
    if system.constraints or any(u.algebraic for u in system.unknowns):
        raise Unsupported("constraints and algebraic unknowns have no finite-difference scheme")
    if plan.order not in (2, 4, 6, 8):
        raise Unsupported(f"finite differences have order 2, 4, 6 or 8, not {plan.order}")
    equations = {e.unknown: e for e in system.evolution}
    ordered = [equations[i] for i in range(len(system.unknowns))]
    for equation in ordered:
        _plain_mass(equation)
    where = places(plan)
    everything, stiff, linear, explicit = [], [], [], []
    for equation in ordered:
        terms = equation.terms
        others = (*conservative(terms.nonlinear, terms.conservative), *terms.forcing)
        held = tuple(t for t in terms.linear if _implicit(plan, where, equation, t, implicit_order))
        rest = tuple(t for t in terms.linear if t not in held)
        everything.append(right_side(plan, terms.linear, others))
        stiff.append(held)
        linear.append(right_side(plan, held, ()))
        explicit.append(right_side(plan, rest, others))
    return FiniteDifferences(plan, where, tuple(everything), tuple(stiff), tuple(linear), tuple(explicit))


def _plain_mass(equation: Evolution) -> None:
    if len(equation.mass) == 1:
        (term,) = equation.mass
        if (
            term.coefficient == 1
            and term.unknown == equation.unknown
            and not any(term.orders)
            and term.multiplier == 1
        ):
            return
    raise Unsupported("a time derivative under an operator has no finite-difference scheme", equation.span)


def _implicit(
    plan: Plan, where: tuple[Place, ...], equation: Evolution, term: LinearTerm, implicit_order: int
) -> bool:
    time = plan.system.time
    if time is None or term.coefficient.has(time.symbol):
        return False
    walls = [w for pair in where[term.unknown].walls if pair is not None for w in pair]
    if any(t.coefficient.has(time.symbol) for w in walls for c in w.conditions for t in c.terms):
        return False
    definition = plan.system.unknowns[term.unknown].rate_of == equation.unknown and not any(term.orders)
    return sum(term.orders) >= implicit_order or definition
