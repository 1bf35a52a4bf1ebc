"""Fourier pseudo-spectral semidiscretisation on a periodic box of one to three dimensions.

The state is the kept modes of each evolving unknown; it visits the nodes only inside a right-hand side,
for the products (Canuto, Hussaini, Quarteroni, Zang, "Spectral Methods", chapter 3). Linear terms with
constant coefficients act as symbols, products are free of aliases by truncation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import sympy as sp
from jax import Array

from nablax.backends.integrals import integral_values
from nablax.backends.interface import Block, Eigenmodes, Parameters, Unsupported, Vector
from nablax.backends.lowering import Environment, Operand, evaluate
from nablax.backends.nodes import coordinates, known
from nablax.backends.spectral.combinations import applied, combination, less, negative, plus, values_of
from nablax.backends.spectral.layout import Layout, layout_of
from nablax.backends.spectral.matrices import (
    Matrix,
    blocks,
    minus,
    product,
    pseudo_inverse,
    solve,
    stacked,
    vanishes,
)
from nablax.backends.spectral.structure import Force, Rows, Structure, structure_of
from nablax.backends.spectral.symbols import Modes, apply, as_array, multiply
from nablax.plan import Plan
from nablax.system import wavenumbers


@dataclass(frozen=True, slots=True)
class Spectral:
    """Semidiscretisation, Split and Exponential in one (see `nablax.backends.interface`).

    y: one complex array of shape `layout.modes` per evolving unknown, the unnormalised Fourier sums.
    """

    plan: Plan
    layout: Layout
    structure: Structure

    @property
    def transform_count(self) -> int:
        """Fourier transforms in one evaluation of the rate, constant forces not counted."""
        s = self.structure
        return len(s.atoms) + sum(
            len(r.products.fluxes) for r in (s.evolution, s.algebra, s.held, s.held_rate)
        )

    @property
    def affine(self) -> bool:
        """Linear with constant coefficients, up to forcing."""
        return not self.structure.atoms

    # --- the protocols ---

    def prepare(self, params: Parameters) -> Parameters:
        """The parameters; under `k/0`, `k/1`, ... the wavenumbers; the modes of forces constant in time."""
        ready = dict(params)
        ready |= {f"k/{axis}": self.layout.wavenumber(axis) for axis in range(len(self.plan.grid))}
        for name, rows in self._named_rows():
            for i, force in enumerate(rows.forces):
                ready[f"{name}/{i}"] = self._force(force, params)
        return ready

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        data = self._data(params, fields)
        y = tuple(self.layout.forward(data[i].real if self.layout.real else data[i]) for i in data)
        return self.finish(jnp.asarray(self.plan.frames[0], self.plan.dtype), y, params)

    def given(self, params: Parameters, fields: Mapping[str, Array]) -> dict[str, Array]:
        """The data of what loses modes to dealiasing; a constraint's fields are shown as it makes them."""
        if all(axis.highest is None for axis in self.layout.axes):
            return {}
        unknowns = self.plan.system.unknowns
        data = self._data(params, fields)
        found = {}
        for i, row in zip(self.structure.evolving, self.structure.gradient, strict=True):
            if unknowns[i].rate_of is None and not any(row):
                kind = self.layout.complex_precision if unknowns[i].complex else self.layout.precision
                values = data[i] if unknowns[i].complex else data[i].real
                found[unknowns[i].name] = jnp.broadcast_to(values.astype(kind), self.layout.nodes)
        return found

    def _data(self, params: Parameters, fields: Mapping[str, Array]) -> dict[int, Array]:
        """Initial nodal values of the evolving unknowns, in their order."""
        environment = self._nodes(params)
        system = self.plan.system
        if system.time is not None:
            environment[system.time.symbol] = jnp.asarray(self.plan.frames[0], self.plan.dtype)
        found = {}
        for i in self.structure.evolving:
            name, data = system.unknowns[i].name, system.initial[i]
            assert name in fields or data is not None
            found[i] = fields[name] if data is None or name in fields else self._nodal(data, environment)
        return found

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return y

    def core(self, carry: Vector) -> Vector:
        return carry

    def rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        linear = self.linear(y, params)
        return tuple(a + b for a, b in zip(linear, self.explicit_rate(t, y, params), strict=True))

    def explicit_rate(self, t: Array, y: Vector, params: Parameters) -> Vector:
        modes = self._modes(t, params)
        projection = self._projection(modes)
        rate = self._unconstrained(t, y, params, modes)
        if projection is None:
            return rate
        held = self._rows_of(self.structure.held_rate, "held rate", t, {}, params, modes)
        if self.structure.commuting is not None:
            symbol = modes.value(self.structure.commuting)
            drift = self._rows_of(self.structure.held, "held", t, {}, params, modes)
            held = [less(a, applied(symbol, b)) for a, b in zip(held, drift, strict=True)]
        return self._projected(projection, rate, held)

    def linear(self, y: Vector, params: Parameters) -> Vector:
        return self._applied(self._linear(self._modes(None, params)), y)

    def solve(self, shift: Array, right: Vector, params: Parameters) -> Vector:
        linear = self._linear(self._modes(None, params))
        solution: list[Array] = list(right)
        for members in blocks(linear):
            if len(members) == 1:
                (i,) = members
                if not vanishes(linear[i][i]):
                    solution[i] = apply(1 / (1 - multiply(shift, linear[i][i])), right[i])
                continue
            symbol = stacked(linear, members, members, self.layout)
            identity = jnp.eye(len(members), dtype=symbol.dtype)
            identity = identity.reshape(identity.shape + (1,) * len(self.layout.axes))
            shifted = identity - shift.astype(symbol.dtype) * symbol
            columns = jnp.stack([right[i] for i in members])[:, None]
            for i, values in zip(members, solve(shifted, columns)[:, 0], strict=True):
                solution[i] = values
        return tuple(solution)

    def eigenmodes(self, equation: int, field: int, params: Parameters) -> Eigenmodes:
        """Those of the part of L that acts on `field` in an equation: the modes of y themselves."""
        values = as_array(self.linear_symbol(params)[equation][field], self.layout)
        return Eigenmodes(values, lambda modes: modes, lambda modes: modes)

    def symbol(self, params: Parameters) -> tuple[Block, ...]:
        linear = self._linear(self._modes(None, params))
        found: list[Block] = []
        alike: dict[int, list[int]] = {}
        for members in blocks(linear):
            if len(members) == 1:
                alike.setdefault(id(linear[members[0]][members[0]]), []).append(members[0])
            else:
                found.append(Block(members, True, stacked(linear, members, members, self.layout)))
        for group in alike.values():
            found.append(Block(tuple(group), False, as_array(linear[group[0]][group[0]], self.layout)))
        return tuple(found)

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        unknowns = self.plan.system.unknowns
        y = tuple(
            a if unknowns[i].complex else self.layout.hermitian(a)
            for i, a in zip(self.structure.evolving, y, strict=True)
        )
        modes = self._modes(t, params)
        projection = self._projection(modes)
        if projection is None:
            return y
        return self._projected(
            projection, y, self._rows_of(self.structure.held, "held", t, {}, params, modes)
        )

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        s = self.structure
        modes = self._modes(t, params)
        arrays: dict[int, Array] = dict(zip(s.evolving, y, strict=True))
        if s.potentials:
            arrays |= dict(zip(s.potentials, self._potentials(t, y, params, modes), strict=True))
        if s.multipliers:
            arrays |= dict(zip(s.multipliers, self._multipliers(t, y, params, modes), strict=True))
        return {
            u.name: self._inverse(i, arrays[i])
            for i, u in enumerate(self.plan.system.unknowns)
            if u.rate_of is None
        }

    def norm(self, y: Vector) -> tuple[Array, ...]:
        weights = self.layout.weights()
        return tuple(jnp.sqrt(jnp.sum(weights * (a.real**2 + a.imag**2))) / self.layout.count for a in y)

    # --- symbols ---

    def linear_symbol(self, params: Parameters) -> Matrix:
        """L per mode, rows and columns in the order of y."""
        return self._linear(self._modes(None, params))

    def applied(self, matrix: Matrix, y: Vector) -> Vector:
        """A matrix per mode applied to y."""
        return self._applied(matrix, y)

    def _modes(self, t: Array | None, params: Parameters) -> Modes:
        environment = known(self.plan, params)
        if t is not None and self.plan.system.time is not None:
            environment[self.plan.system.time.symbol] = t
        values = tuple(
            params[f"k/{axis}"] if f"k/{axis}" in params else self.layout.wavenumber(axis)
            for axis in range(len(self.plan.grid))
        )
        return Modes(self.layout, wavenumbers(self.plan.system), values, environment, {})

    def _inverse_mass(self, modes: Modes) -> Matrix:
        return pseudo_inverse(values_of(self.structure.mass, modes), self.layout)

    def _unprojected(self, modes: Modes) -> Matrix:
        """M⁻¹ (L - B Q⁺ C)."""
        s = self.structure
        linear = values_of(s.linear, modes)
        if s.potentials:
            inverse = pseudo_inverse(values_of(s.potential, modes), self.layout)
            through = product(
                values_of(s.from_potentials, modes), product(inverse, values_of(s.potential_of, modes))
            )
            linear = minus(linear, through)
        return product(self._inverse_mass(modes), linear)

    def _linear(self, modes: Modes) -> Matrix:
        linear = self._unprojected(modes)
        projection = self._projection(modes)
        if projection is None or self.structure.commuting is not None:
            return linear
        back, divergence = projection
        return minus(linear, product(back, product(divergence, linear)))

    def _projection(self, modes: Modes) -> tuple[Matrix, Matrix] | None:
        """M⁻¹ G (D M⁻¹ G)⁺ and D: r - first · (D r + h_t) keeps D y + h = 0."""
        s = self.structure
        if not s.multipliers:
            return None
        divergence = values_of(s.divergence, modes)
        gradient = product(self._inverse_mass(modes), values_of(s.gradient, modes))
        inverse = pseudo_inverse(product(divergence, gradient), self.layout)
        return product(gradient, inverse), divergence

    def _applied(self, matrix: Matrix, y: Sequence[Array | None]) -> tuple[Array, ...]:
        zero = jnp.zeros(self.layout.modes, self.layout.complex_precision)
        rows = (combination(row, y) for row in matrix)
        return tuple(zero if row is None else row for row in rows)

    def _projected(
        self, projection: tuple[Matrix, Matrix], y: Vector, held: Sequence[Array | None]
    ) -> Vector:
        back, divergence = projection
        excess = [plus(combination(row, y), h) for row, h in zip(divergence, held, strict=True)]
        corrections = (combination(row, excess) for row in back)
        return tuple(a if c is None else a - c for a, c in zip(y, corrections, strict=True))

    # --- what is evaluated at the nodes ---

    def _unconstrained(self, t: Array, y: Vector, params: Parameters, modes: Modes) -> Vector:
        """M⁻¹ (N + f + B q), q without its part linear in y: that part is in L."""
        s = self.structure
        nodal: dict[int, Array] = {}
        known: dict[int, Array] = dict(zip(s.evolving, y, strict=True))
        from_algebra: list[Array | None] = [None] * len(s.evolving)
        if s.potentials:
            inverse = pseudo_inverse(values_of(s.potential, modes), self.layout)
            self._evaluate_atoms(s.algebra, nodal, known, modes)
            rest = self._rows_of(s.algebra, "algebra", t, nodal, params, modes)
            to_linear = product(inverse, values_of(s.potential_of, modes))
            explicit_part = [negative(combination(row, rest)) for row in inverse]
            for i, row, part in zip(s.potentials, to_linear, explicit_part, strict=True):
                whole = less(part, combination(row, y))
                known[i] = self._zero() if whole is None else whole
            from_algebra = [combination(row, explicit_part) for row in values_of(s.from_potentials, modes)]
        self._evaluate_atoms(s.evolution, nodal, known, modes)
        rows = self._rows_of(s.evolution, "evolution", t, nodal, params, modes)
        total = [plus(a, b) for a, b in zip(rows, from_algebra, strict=True)]
        return self._applied(self._inverse_mass(modes), total)

    def _potentials(self, t: Array, y: Vector, params: Parameters, modes: Modes) -> Vector:
        s = self.structure
        nodal: dict[int, Array] = {}
        inverse = pseudo_inverse(values_of(s.potential, modes), self.layout)
        self._evaluate_atoms(s.algebra, nodal, dict(zip(s.evolving, y, strict=True)), modes)
        rest = self._rows_of(s.algebra, "algebra", t, nodal, params, modes)
        of_y = [combination(row, y) for row in values_of(s.potential_of, modes)]
        right = [plus(a, b) for a, b in zip(of_y, rest, strict=True)]
        return tuple(-q for q in self._applied(inverse, right))

    def _multipliers(self, t: Array, y: Vector, params: Parameters, modes: Modes) -> Vector:
        s = self.structure
        linear = self._applied(self._unprojected(modes), y)
        rate = tuple(a + b for a, b in zip(linear, self._unconstrained(t, y, params, modes), strict=True))
        divergence = values_of(s.divergence, modes)
        gradient = product(self._inverse_mass(modes), values_of(s.gradient, modes))
        inverse = pseudo_inverse(product(divergence, gradient), self.layout)
        held = self._rows_of(s.held_rate, "held rate", t, {}, params, modes)
        excess = [plus(combination(row, rate), h) for row, h in zip(divergence, held, strict=True)]
        return tuple(-p for p in self._applied(inverse, excess))

    def _evaluate_atoms(
        self, rows: Rows, nodal: dict[int, Array], known: Mapping[int, Array], modes: Modes
    ) -> None:
        """Nodal values of the atoms that the fluxes of `rows` read, added to `nodal`."""
        read = {symbol for flux in rows.products.fluxes for symbol in flux.free_symbols}
        for term in reversed(self.structure.integrals):
            if term.placeholder in read:
                read |= {placeholder for _, placeholder in term.jets}
        for i, atom in enumerate(self.structure.atoms):
            if atom.placeholder in read and i not in nodal:
                nodal[i] = self._inverse(atom.unknown, apply(modes.value(atom.symbol), known[atom.unknown]))

    def _evaluate_integrals(self, environment: dict[sp.Basic, Operand]) -> None:
        """The integral terms whose atoms are there, added to the environment under their placeholders."""
        for term in self.structure.integrals:
            if any(placeholder not in environment for _, placeholder in term.jets):
                continue
            known = environment | {jet: environment[placeholder] for jet, placeholder in term.jets}
            found = integral_values([term.node], self.plan, known, _no_values)
            environment[term.placeholder] = found[term.node]

    def _inverse(self, unknown: int, y: Array) -> Array:
        u = self.layout.inverse(y)
        return u if self.layout.real or self.plan.system.unknowns[unknown].complex else u.real

    def _rows_of(
        self, rows: Rows, name: str, t: Array, nodal: Mapping[int, Array], params: Parameters, modes: Modes
    ) -> list[Array | None]:
        """The modes of the rows' sums; None where a row has nothing."""
        environment = self._nodes(params)
        environment |= modes.environment
        environment |= {self.structure.atoms[i].placeholder: u for i, u in nodal.items()}
        self._evaluate_integrals(environment)
        spectra = [self.layout.forward(self._nodal(f, environment)) for f in rows.products.fluxes]
        total: list[Array | None] = [None] * self._count(name)
        for share in rows.products.shares:
            total[share.row] = plus(total[share.row], apply(modes.value(share.symbol), spectra[share.flux]))
        for i, force in enumerate(rows.forces):
            key = f"{name}/{i}"
            spectrum = params[key] if key in params else self._force(force, params)
            total[force.row] = plus(total[force.row], apply(modes.value(force.symbol), spectrum))
        return total

    def _named_rows(self) -> tuple[tuple[str, Rows], ...]:
        s = self.structure
        return (
            ("evolution", s.evolution),
            ("algebra", s.algebra),
            ("held", s.held),
            ("held rate", s.held_rate),
        )

    def _count(self, name: str) -> int:
        s = self.structure
        return {"evolution": len(s.evolving), "algebra": len(s.potentials)}.get(name, len(s.multipliers))

    def _force(self, force: Force, params: Parameters) -> Array:
        return self.layout.forward(self._nodal(force.flux, self._nodes(params)))

    def _zero(self) -> Array:
        return jnp.zeros(self.layout.modes, self.layout.complex_precision)

    def _nodes(self, params: Parameters) -> dict[sp.Basic, Operand]:
        return known(self.plan, params) | coordinates(self.plan)

    def _nodal(self, expression: sp.Expr, environment: Environment) -> Array:
        (value,) = evaluate((expression,), environment)
        precision = self.layout.complex_precision if jnp.iscomplexobj(value) else self.layout.precision
        return jnp.broadcast_to(jnp.asarray(value, precision), self.layout.nodes)


def build(plan: Plan) -> Spectral:
    """The semidiscretisation of a plan with method "spectral".

    Raises `Unsupported` for a bounded axis, more than three axes, or constraints that do not fit.
    """
    if not all(a.periodic for a in plan.grid):
        raise Unsupported("the Fourier method needs periodic axes")
    if not 1 <= len(plan.grid) <= 3:
        raise Unsupported("the Fourier method takes one to three axes")
    return Spectral(plan, layout_of(plan), structure_of(plan.system))


def _no_values(jet: sp.Expr) -> Array:
    raise Unsupported(f"an integral of `{jet}`, which is not evaluated at the nodes")
