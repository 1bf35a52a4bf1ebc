"""Fractional Laplacians of integral kind on an interval or in a ball, in the modes of their
eigenfunctions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends import krylov, newton
from nablax.backends.interface import Block, Eigenmodes, Parameters, Rest, Unsupported, Vector
from nablax.backends.lowering import Operand, evaluate
from nablax.backends.nodes import known
from nablax.backends.spectral.edged import Basis, Places, basis_of, given, interpolation, named, places_of
from nablax.backends.spectral.matrices import Matrix, blocks, solve, vanishes
from nablax.backends.spectral.outside import continued
from nablax.backends.spectral.polynomials import shape_of
from nablax.backends.spectral.symbols import add, multiply
from nablax.passes.determination import relaxed
from nablax.passes.eigenfunctions import Expansion, Obstacle, expansion_of
from nablax.plan import Plan


@dataclass(frozen=True)
class Galerkin:
    """Semidiscretisation, Split and Exponential in one (see `nablax.backends.interface`).

    y: one array of shape [modes] per evolving unknown, the amplitudes of the eigenfunctions in the field
    less what its values outside continue into the domain.
    """

    plan: Plan
    form: Expansion
    places: Places

    @cached_property
    def affine(self) -> bool:
        """Linear with constant coefficients, up to forcing."""
        values = [u.value for u in self.plan.system.unknowns]
        return not any(rest.has(*values) for rest in self.form.rest)

    # --- the protocols ---

    def prepare(self, params: Parameters) -> Parameters:
        """The parameters; the eigenfunctions under `basis/0`, ...; under `outside/0`, ... and `shown/0`,
        ... what fields outside that stand still continue into the domain, at the quadrature's places and
        the grid's nodes."""
        ready = dict(params)
        for i, _ in enumerate(self._spaces):
            ready |= named(self._made(i, params), f"basis/{i}")
        for unknown, expression in enumerate(self.form.outside):
            if expression != 0 and not self._moves(expression):
                inside, shown = self._continued(unknown, expression, None, params)
                ready |= {f"outside/{unknown}": inside, f"shown/{unknown}": shown}
        return ready

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        system = self.plan.system
        t = jnp.asarray(self.plan.frames[0], self.plan.dtype)
        environment = self._environment(t, params)
        found = []
        for i in self.form.rows:
            name, data = system.unknowns[i].name, system.initial[i]
            if name in fields:
                values = self._interpolated(i, fields[name], t, params)
            else:
                assert data is not None
                values = self._nodal(i, data, environment)
                reached = self._reached(i, t, params)
                values = values if reached is None else values - reached[0]
            found.append(_applied(self._basis(i, params).means, values))
        return tuple(found)

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return y

    def core(self, carry: Vector) -> Vector:
        return carry

    def rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        linear = self.linear(y, params)
        return tuple(a + b for a, b in zip(linear, self.explicit_rate(t, y, params), strict=True))

    def explicit_rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        system, clock = self.plan.system, self.plan.system.time
        environment = self._environment(t, params)
        read = {
            symbol
            for rest in self.form.rest
            for symbol in rest.atoms(sp.Symbol, sp.core.function.AppliedUndef)
        }
        for i, a in zip(self.form.rows, y, strict=True):
            value, name = system.unknowns[i].value, self.form.reached[i]
            reached = self._reached(i, t, params) if {value, name} & read else None
            environment[name] = 0.0 if reached is None else reached[0]
            if value in read:
                nodal = _applied(self._basis(i, params).inside, a)
                environment[value] = nodal if reached is None else nodal + reached[0].astype(nodal.dtype)
        found = []
        for i, rest, a in zip(self.form.rows, self.form.rest, y, strict=True):
            drift = sp.S.Zero if clock is None else sp.diff(self.form.outside[i], clock.symbol)
            if rest == 0 and drift == 0:
                found.append(jnp.zeros_like(a))
                continue
            values = self._nodal(i, rest, environment)
            if drift != 0:
                values = values - self._continued(i, drift, t, params)[0].astype(values.dtype)
            found.append(_applied(self._basis(i, params).means, values))
        return tuple(found)

    def linear(self, y: Vector, params: Parameters) -> Vector:
        found = []
        for row, a in zip(self.matrix(params), y, strict=True):
            total = jnp.zeros_like(a)
            for entry, b in zip(row, y, strict=True):
                if not vanishes(entry):
                    total = total + jnp.asarray(entry).astype(a.dtype) * b.astype(a.dtype)
            found.append(total)
        return tuple(found)

    def solve(self, shift: Array, right: Vector, params: Parameters) -> Vector:
        matrix = self.matrix(params)
        shifted = tuple(
            tuple(add(1.0 if i == j else 0.0, multiply(-shift, entry)) for j, entry in enumerate(row))
            for i, row in enumerate(matrix)
        )
        return self.solved(shifted, right)

    def solved(self, matrix: Matrix, right: Vector) -> Vector:
        """The vector that a matrix per mode takes to `right`."""
        found = list(right)
        for members in blocks(matrix):
            if len(members) == 1:
                (i,) = members
                found[i] = right[i] / jnp.asarray(matrix[i][i]).astype(right[i].dtype)
                continue
            entries = self._stacked(matrix, members)
            columns = jnp.stack([right[i].astype(entries.dtype) for i in members])[:, None]
            for i, values in zip(members, solve(entries, columns)[:, 0], strict=True):
                found[i] = values if jnp.iscomplexobj(right[i]) else values.real
        return tuple(found)

    def symbol(self, params: Parameters) -> tuple[Block, ...]:
        matrix = self.matrix(params)
        found = []
        for members in blocks(matrix):
            if len(members) == 1:
                (i,) = members
                found.append(Block(members, False, self._entry(matrix[i][i], self._kind(i))))
            else:
                found.append(Block(members, True, self._stacked(matrix, members)))
        return tuple(found)

    def eigenmodes(self, equation: int, field: int, params: Parameters) -> Eigenmodes:
        """Those of the part of L that acts on `field` in an equation: the modes of y themselves."""
        values = self._entry(self.matrix(params)[equation][field], self._kind(self.form.rows[equation]))
        return Eigenmodes(values, lambda modes: modes, lambda modes: modes)

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return y

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        found = {}
        for i, a in zip(self.form.rows, y, strict=True):
            unknown = self.plan.system.unknowns[i]
            if unknown.rate_of is not None:
                continue
            values = _applied(self._basis(i, params).shown, a)
            reached = self._reached(i, t, params)
            found[unknown.name] = values if reached is None else values + reached[1].astype(values.dtype)
        return found

    def norm(self, y: Vector) -> tuple[Array, ...]:
        return tuple(jnp.sqrt(jnp.sum(jnp.abs(a) ** 2)) for a in y)

    # --- the linear part ---

    def matrix(self, params: Parameters) -> Matrix:
        """L per mode, rows and columns in the order of y."""
        place = {unknown: k for k, unknown in enumerate(self.form.rows)}
        environment = self._parameters(params)
        rows: list[list[Operand]] = [[0.0] * len(place) for _ in place]
        for product in self.form.linear:
            (value,) = evaluate((product.coefficient,), environment)
            if product.fractional:
                value = multiply(
                    value,
                    multiply(
                        self._sign(product.unknown, params), self._basis(product.unknown, params).eigenvalues
                    ),
                )
            column = place[product.unknown]
            rows[product.row][column] = add(rows[product.row][column], value)
        return tuple(map(tuple, rows))

    def _stacked(self, matrix: Matrix, members: Sequence[int]) -> Array:
        """[rows, columns, modes] of some rows and the same columns."""
        mixed = any(self.plan.system.unknowns[self.form.rows[i]].complex for i in members)
        kind = jnp.result_type(self.plan.dtype, jnp.complex64) if mixed else jnp.dtype(self.plan.dtype)
        return jnp.stack([jnp.stack([self._entry(matrix[i][j], kind) for j in members]) for i in members])

    def _entry(self, entry: Operand, kind: jnp.dtype) -> Array:
        return jnp.broadcast_to(jnp.asarray(entry).astype(kind), (self.places.modes,))

    def _kind(self, unknown: int) -> jnp.dtype:
        """The numbers that an unknown consists of."""
        if not self.plan.system.unknowns[unknown].complex:
            return jnp.dtype(self.plan.dtype)
        return jnp.dtype("complex64" if self.plan.dtype == "float32" else "complex128")

    # --- eigenfunctions ---

    @cached_property
    def _spaces(self) -> tuple[int, ...]:
        """The first unknown of each space of its own."""
        return tuple(sorted({self.form.spaces.index(space) for space in self.form.spaces}))

    def _basis(self, unknown: int, params: Parameters) -> Basis:
        index = self._spaces.index(self.form.spaces.index(self.form.spaces[unknown]))
        return given(params, f"basis/{index}") or self._made(index, params)

    def _made(self, index: int, params: Parameters) -> Basis:
        unknown = self._spaces[index]
        diffusivity = self._diffusivity(unknown, params)
        return basis_of(
            self.places, self._order(unknown, params), None if diffusivity is None else jnp.abs(diffusivity)
        )

    def _order(self, unknown: int, params: Parameters) -> Array:
        (order,) = evaluate((self.form.spaces[unknown].order,), self._parameters(params))
        return jnp.asarray(order, self.plan.dtype)

    def _diffusivity(self, unknown: int, params: Parameters) -> Array | None:
        expression = self.form.spaces[unknown].diffusivity
        if expression == 1:
            return None
        (value,) = evaluate((expression,), self._environment(None, params))
        return jnp.broadcast_to(jnp.asarray(value, self.plan.dtype), self.places.weights.shape)

    def _sign(self, unknown: int, params: Parameters) -> Operand:
        """Of a coefficient that varies; not a number where it changes sign."""
        diffusivity = self._diffusivity(unknown, params)
        if diffusivity is None:
            return 1.0
        signs = jnp.sign(diffusivity)
        return jnp.where(jnp.all(signs == signs[0]) & (signs[0] != 0), signs[0], jnp.nan)

    # --- values at places ---

    def _parameters(self, params: Parameters) -> dict[sp.Basic, Operand]:
        return known(self.plan, params)

    def _environment(self, t: Array | None, params: Parameters) -> dict[sp.Basic, Operand]:
        """Parameters, the time, and the coordinate at the quadrature's places."""
        found = self._parameters(params)
        axis = self.plan.grid[0]
        along = self.places.shape.along(self.places.arguments) * self.places.units
        found[self.plan.system.axes[0].symbol] = jnp.asarray(axis.lower + along, self.plan.dtype)
        if t is not None and self.plan.system.time is not None:
            found[self.plan.system.time.symbol] = t
        return found

    def _nodal(self, unknown: int, expression: sp.Expr, environment: Mapping[sp.Basic, Operand]) -> Array:
        (value,) = evaluate((expression,), environment)
        found = jnp.asarray(value)
        kind = self._kind(unknown)
        found = (
            found.astype(kind) if jnp.iscomplexobj(found) <= (kind.kind == "c") else found.real.astype(kind)
        )
        return jnp.broadcast_to(found, self.places.weights.shape)

    def _interpolated(self, unknown: int, values: Array, t: Array, params: Parameters) -> Array:
        """Values at the grid's nodes, without what their outside continues, at the quadrature's places."""
        values = jnp.asarray(values).astype(self._kind(unknown))
        reached = self._reached(unknown, t, params)
        if reached is not None:
            values = values - reached[1].astype(values.dtype)
        s = self._order(unknown, params)
        here = edged_or_one(self.places.shown_edges, s)
        there = jnp.asarray(self.places.edges, s.dtype) ** s
        matrix = jnp.asarray(interpolation(self.places, self.form.dimension > 1), s.dtype)
        return _applied(there[:, None] * matrix / here[None], values)

    # --- outside ---

    def _moves(self, expression: sp.Expr) -> bool:
        time = self.plan.system.time
        return time is not None and bool(expression.has(time.symbol))

    def _reached(self, unknown: int, t: Array, params: Parameters) -> tuple[Array, Array] | None:
        """What the field outside continues into the domain: at the quadrature's places and at the grid's
        nodes."""
        expression = self.form.outside[unknown]
        if expression == 0:
            return None
        if f"outside/{unknown}" in params:
            return params[f"outside/{unknown}"], params[f"shown/{unknown}"]
        return self._continued(unknown, expression, t, params)

    def _continued(
        self, unknown: int, expression: sp.Expr, t: Array | None, params: Parameters
    ) -> tuple[Array, Array]:
        places, axis = self.places, self.plan.grid[0]
        environment = self._parameters(params)
        if t is not None and self.plan.system.time is not None:
            environment[self.plan.system.time.symbol] = t
        middle = axis.lower if self.form.dimension > 1 else axis.lower + places.units

        def outside(distance: Array) -> Array:
            at = {self.plan.system.axes[0].symbol: middle + places.units * distance}
            (value,) = evaluate((expression,), environment | at)
            return jnp.broadcast_to(jnp.asarray(value, self.plan.dtype), distance.shape)

        s = self._order(unknown, params)
        inside, shown = (
            continued(outside, s, self.form.dimension, arguments, edges)
            for arguments, edges in (
                (places.arguments, places.edges),
                (places.shown_arguments, places.shown_edges),
            )
        )
        return inside, shown


def edged_or_one(edges: np.ndarray, s: Array) -> Array:
    """The edges' factor, 1 on the edge itself."""
    return jnp.asarray(np.where(edges > 0, edges, 1.0), s.dtype) ** s


def _applied(matrix: Array, values: Array) -> Array:
    """A real matrix times a real or complex vector."""
    if jnp.iscomplexobj(values):
        return lax.complex(matrix @ values.real, matrix @ values.imag)
    return matrix @ values


@dataclass(frozen=True, slots=True)
class SteadyGalerkin:
    """All unknowns of a steady plan at once, by Newton's method; meets `Equilibrium`."""

    plan: Plan
    scheme: Galerkin

    def solve(self, params: Parameters, fields: Mapping[str, Array]) -> Rest:
        """The fields at rest; `fields` replaces where the iteration begins."""
        scheme = self.scheme
        time = jnp.zeros((), self.plan.dtype)
        ready = scheme.prepare(params)
        kind = newton.Kind(scheme.affine, scheme.affine, True)

        def equations(ready: Parameters) -> newton.Equations:
            def inverse(_: Vector) -> krylov.Operator:
                matrix = scheme.matrix(ready)
                return lambda right: scheme.solved(matrix, right)

            return newton.Equations(lambda y: scheme.rate(time, y, ready), inverse)

        found = newton.root(equations, ready, scheme.initial(ready, fields), kind, self.plan.stepping.rtol)
        nodal = scheme.fields(time, found.x, ready)
        # Amplitudes have the square of the mean as their sum of squares.
        size = float(np.sqrt(scheme.places.modes))
        shown = {name: jnp.where(found.converged, a, jnp.nan) for name, a in nodal.items()}
        return Rest(shown, found.residuals * size, found.converged, {})


def build(plan: Plan) -> Galerkin:
    """The semidiscretisation of a plan with method "spectral" between walls. Raises `Unsupported`."""
    form = expansion_of(plan.system)
    if isinstance(form, Obstacle):
        raise Unsupported(f"no eigenfunctions for {form.what}", form.span)
    axis = plan.grid[0]
    shape = shape_of(form.dimension)
    units = axis.length if form.dimension > 1 else axis.length / 2
    return Galerkin(plan, form, places_of(shape, units, axis.points, plan.dtype))


def build_steady(plan: Plan) -> SteadyGalerkin:
    """The scheme of a steady plan with method "spectral" between walls. Raises `Unsupported`."""
    return SteadyGalerkin(plan, build(replace(plan, system=relaxed(plan.system))))
