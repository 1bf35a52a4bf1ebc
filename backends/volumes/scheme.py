"""Finite volumes on a box: a plan with a balance law as ordinary differential equations for cell averages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.interface import Parameters, Unsupported, Vector
from nablax.backends.lowering import Operand, evaluate
from nablax.backends.nodes import known
from nablax.backends.volumes import cells, positivity, riemann, walls
from nablax.backends.volumes.bounds import limited, lower, upper
from nablax.backends.volumes.characteristic import characteristic_traces
from nablax.backends.volumes.diffusion import Diffusion, diffusion_of
from nablax.backends.volumes.ghosts import padded
from nablax.backends.volumes.passage import Passage
from nablax.backends.volumes.reconstruction import neighbours, to_averages, to_points, traces
from nablax.backends.volumes.sources import REACH, averaged, flattened
from nablax.passes.divergence import Law
from nablax.passes.openings import Opening, openings
from nablax.passes.waves import Characteristics
from nablax.plan import Plan
from nablax.planning.eigenvectors import Eigenbasis
from nablax.planning.spreading import diffusion_rates, ghost_cells, maximum_principle
from nablax.planning.volumes import courant_number
from nablax.reductions import Noise


@dataclass(frozen=True)
class FiniteVolumes:
    """y holds one array of cell averages per unknown, of shape `plan.shape`. Meets `Courant`.

    `curved[axis]`: the flux is no linear function of the unknowns with constant coefficients, so that
    beyond second order it is evaluated at points of the faces. `slopes` are rows of ∂S/∂U, `stiffness` those
    of the largest rates of diffusion, `bounded` the unknowns whose fluxes are limited to keep their bounds,
    `signed` those that keep their sign,
    `courant` the largest Courant number, `ghosts` the cells attached beyond the ends of axes,
    `eigenbases[axis]` the blocks of unknowns that are reconstructed in characteristic variables.
    """

    plan: Plan
    law: Law
    waves: Characteristics
    sides: tuple[Opening, ...]
    curved: tuple[bool, ...]
    slopes: tuple[tuple[sp.Expr, ...], ...]
    bounded: tuple[int, ...]
    signed: tuple[int, ...]
    courant: float
    ghosts: int
    eigenbases: tuple[tuple[Eigenbasis, ...], ...]
    passage: Passage
    diffusion: Diffusion | None
    stiffness: tuple[sp.Expr, ...]

    def initial(self, params: Parameters, fields: Mapping[str, Array]) -> Vector:
        """Averages of the initial data over the cells; `fields` are averages already.

        Raises ValueError for an array of another shape.
        """
        values = self._known(jnp.asarray(self.plan.frames[0], self.plan.dtype), params)
        result = []
        for unknown, expression in zip(self.plan.system.unknowns, self.plan.system.initial, strict=True):
            given = fields.get(unknown.name)
            if given is not None:
                if jnp.shape(given) != self.plan.shape:
                    shape = jnp.shape(given)
                    raise ValueError(f"field `{unknown.name}` has shape {shape}, the grid {self.plan.shape}")
                result.append(jnp.asarray(given, self.plan.dtype))
            elif expression is not None:
                result.append(cells.average(expression, self.plan, values))
            else:
                raise Unsupported(f"`{unknown.name}` has no initial data", unknown.span)
        return tuple(result)

    def embed(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return y

    def core(self, carry: Vector) -> Vector:
        return carry

    def rate(self, t: Array, carry: Vector, params: Parameters) -> Vector:
        """-Σ (difference of the fluxes through opposite faces) / spacing + sources, averaged over cells."""
        values = self._known(t, params)
        ghosts = self.ghosts
        around = padded(carry, self.plan, self.sides, ghosts, values, self.passage)
        total = self._sources(around, values)
        axes = range(len(self.plan.grid))
        through = {k: self._fluxes(around, k, values) for k in axes}
        if self.waves.guards:
            through = self._positive(through, around, values)
        spread = around
        if self.diffusion is not None:
            # What diffuses obeys the conditions of walls where waves leave as well.
            spread = padded(carry, self.plan, self.sides, ghosts, values, None)
            for k in self.diffusion.axes:
                through[k] = through[k] - self.diffusion.fluxes(spread, k, ghosts, values)
        kept: dict[int, dict[int, Array]] = {}
        if self.bounded or self.signed:
            low = {k: self._first_order(around, k, values) for k in axes}
            if self.diffusion is not None:
                for k in self.diffusion.axes:
                    low[k] = low[k] - self.diffusion.monotone(spread, k, ghosts, values)
            step = self.stable_step(t, carry, params)
            step = jnp.where(jnp.isfinite(step), step, jnp.zeros_like(step))  # nothing moves
            for i in (*self.bounded, *self.signed):
                high, plain = ({k: f[k][i] for k in axes} for f in (through, low))
                if i in self.signed:
                    bounds = positivity.sign_bounds(carry[i])
                else:
                    bounds = self._bounds(i, carry[i], values, params)
                kept[i] = limited(carry[i], high, plain, bounds, step, self.plan.grid)
        for i in range(len(carry)):
            for axis, grid in enumerate(self.plan.grid):
                if self.law.fluxes[axis][i] != 0 or self.law.diffusion[axis][i] != 0:
                    flux = kept[i][axis] if i in kept else through[axis][i]
                    difference = upper(flux, axis) - lower(flux, axis)
                    total[i] = total[i] - difference / grid.spacing
        return tuple(total)

    def finish(self, t: Array, y: Vector, params: Parameters) -> Vector:
        return y

    def fields(self, t: Array, y: Vector, params: Parameters) -> dict[str, Array]:
        """Cell averages by component name, without the rates."""
        unknowns = self.plan.system.unknowns
        return {u.name: array for u, array in zip(unknowns, y, strict=True) if u.rate_of is None}

    def prepare(self, params: Parameters) -> Parameters:
        """The parameters, and the range of the initial data of every bounded unknown."""
        return {**params, **self._ranges(params)}

    # -- what the step control asks -----------------------------------------------------------------

    def stable_step(self, t: Array, y: Vector, params: Parameters) -> Array:
        """The longest step that waves and sources allow from y: inf where nothing moves.

        1/dt = Σ_axes max |speed| / (courant · spacing) + the largest row sum of ∂S/∂U + the largest rate of
        diffusion by the half of what an Euler step takes on the real axis.
        """
        values = self._known(t, params)
        here = cells.centres(self.plan, 0)
        pace = self._pace(y, here, values)
        for opening in self.sides:
            beyond, place = self._beyond(y, opening, values)
            pace = [jnp.maximum(a, b) for a, b in zip(pace, self._pace(beyond, place, values), strict=True)]
        total = pace[0]
        for part in pace[1:]:
            total = total + part
        return 1 / total

    def admissible(self, t: Array, before: Vector, after: Vector, params: Parameters) -> Array:
        """Whether a step left a state that makes sense: finite, and every guard with the sign it had."""
        good = jnp.asarray(True)
        for a in after:
            good = good & jnp.isfinite(jnp.sum(a))
        place, values = cells.centres(self.plan, 0), self._known(t, params)
        old, new = (self._guards(y, place, values) for y in (before, after))
        for a, b in zip(old, new, strict=True):
            good = good & jnp.all(a * b >= 0)
        return good

    # -- parts --------------------------------------------------------------------------------------

    def _known(self, t: Array, params: Parameters) -> dict[sp.Basic, Operand]:
        system = self.plan.system
        found = known(self.plan, params)
        if system.time is not None:
            found[system.time.symbol] = t
        return found

    def _state(self, y: Sequence[Array]) -> dict[sp.Basic, Operand]:
        return {u.value: a for u, a in zip(self.plan.system.unknowns, y, strict=True)}

    def _fluxes(self, around: Sequence[Array], axis: int, values: Mapping[sp.Basic, Operand]) -> Array:
        """Averages of the fluxes over every face across an axis, n + 1 of them along it, stacked."""
        ghosts = self.ghosts
        others = [k for k in range(len(self.plan.grid)) if k != axis]
        high = self.plan.order > 2 and self.curved[axis]
        reach = REACH if high else 0
        # Only the ghosts that are read: across faces those of the reconstruction, along them `2 reach`.
        stacked = jnp.stack([self._trimmed(a, ghosts, dict.fromkeys(others, 2 * reach)) for a in around])
        flat_left, flat_right = neighbours(stacked, axis + 1, ghosts)
        left, right = self._traces(stacked, axis, 2 * reach, (flat_left + flat_right) / 2, values)
        if high:
            for k in others:
                left, right = to_points(left, k + 1), to_points(right, k + 1)
                flat_left, flat_right = self._shrunk(flat_left, k + 1), self._shrunk(flat_right, k + 1)
        place = cells.faces(self.plan, axis, reach)
        outer = self._safe(tuple(left), tuple(flat_left), place, values)
        inner = self._safe(tuple(right), tuple(flat_right), place, values)
        outer, inner = self._walled(outer, inner, axis, place, values, True, at_points=high)
        unknowns = [u.value for u in self.plan.system.unknowns]
        around_faces = {**values, **place}
        through = jnp.stack(riemann.flux(self.law, self.waves, axis, unknowns, around_faces, outer, inner))
        if high:
            for k in others:
                through = to_averages(through, k + 1)
        return through

    def _traces(
        self, stacked: Array, axis: int, beside: int, mean: Array, values: Mapping[sp.Basic, Operand]
    ) -> tuple[Array, Array]:
        """States left and right of the faces, in characteristic variables where there are some; `stacked` has
        `beside` cells beyond the ends of the other axes, `mean` is the state at the faces."""
        ghosts, order = self.ghosts, self.plan.order
        bases = self.eigenbases[axis] if self.eigenbases else ()
        if not bases:
            return traces(stacked, axis + 1, ghosts, order)
        assert self.plan.system.time is not None, "a balance law has a time"
        sound = jnp.isfinite(jnp.asarray(values[self.plan.system.time.symbol]))
        around = {**values, **cells.faces(self.plan, axis, beside), **self._state(tuple(mean))}
        left, right = list(mean), list(mean)
        for basis in bases:
            sides = characteristic_traces(stacked, axis + 1, ghosts, order, basis, around, sound)
            for k, i in enumerate(basis.members):
                left[i], right[i] = sides[0][k], sides[1][k]
        taken = {i for basis in bases for i in basis.members}
        alone = [i for i in range(len(mean)) if i not in taken]
        if alone:
            sides = traces(jnp.stack([stacked[i] for i in alone]), axis + 1, ghosts, order)
            for k, i in enumerate(alone):
                left[i], right[i] = sides[0][k], sides[1][k]
        return jnp.stack(left), jnp.stack(right)

    def _trimmed(self, array: Array, ghosts: int, kept: Mapping[int, int]) -> Array:
        for k, width in kept.items():
            n = array.shape[k]
            array = lax.slice_in_dim(array, ghosts - width, n - ghosts + width, axis=k)
        return array

    def _shrunk(self, array: Array, axis: int) -> Array:
        return lax.slice_in_dim(array, REACH, array.shape[axis] - REACH, axis=axis)

    def _safe(
        self,
        states: Sequence[Array],
        averages: Sequence[Array],
        place: Mapping[sp.Basic, Operand],
        values: Mapping[sp.Basic, Operand],
    ) -> list[Array]:
        """The reconstructed states, but the cell's average where a guard changes its sign."""
        if not self.waves.guards:
            return list(states)
        good = jnp.asarray(True)
        pairs = zip(self._guards(states, place, values), self._guards(averages, place, values), strict=True)
        for a, b in pairs:
            good = good & (a * b > 0)
        return [jnp.where(good, a, b) for a, b in zip(states, averages, strict=True)]

    def _positive(
        self, through: dict[int, Array], around: Sequence[Array], values: Mapping[sp.Basic, Operand]
    ) -> dict[int, Array]:
        """Fluxes by axis that leave every guard its sign; as they are where they do."""
        place = cells.centres(self.plan, 0)
        ghosts = self.ghosts
        inside = dict.fromkeys(range(len(self.plan.grid)), 0)
        averages = jnp.stack([self._trimmed(a, ghosts, inside) for a in around])

        def guards(y: Sequence[Array]) -> list[Array]:
            return self._guards(y, place, values)

        def first_order() -> dict[int, Array]:
            return {k: self._first_order(around, k, values, even=True) for k in through}

        paces = self._pace(tuple(averages), place, values)
        return positivity.kept(guards, averages, through, first_order, paces, self.plan.grid)

    def _guards(
        self, y: Sequence[Array], place: Mapping[sp.Basic, Operand], values: Mapping[sp.Basic, Operand]
    ) -> list[Array]:
        found = evaluate(self.waves.guards, {**values, **place, **self._state(y)})
        return [jnp.asarray(g) for g in found]

    def _walled(
        self,
        left: Sequence[Array],
        right: Sequence[Array],
        axis: int,
        place: Mapping[sp.Basic, Array],
        values: Mapping[sp.Basic, Operand],
        high: bool,
        at_points: bool,
    ) -> tuple[list[Array], list[Array]]:
        """The states with those outside the walls as the conditions have them; `high` where they are
        reconstructed, and not averages."""
        widths = None if at_points else [0] * len(self.plan.grid)
        outer, inner = list(left), list(right)
        symbol = self.plan.system.axes[axis].symbol
        for opening in self.sides:
            if opening.axis != axis:
                continue
            n = self.plan.grid[axis].n
            at = 0 if opening.side == 0 else n
            here = dict(place) | {symbol: lax.slice_in_dim(place[symbol], at, at + 1, axis=axis)}
            known = {**values, **here}
            if opening.side == 0:
                face, far = ([lax.slice_in_dim(a, 0, 1, axis=axis) for a in y] for y in (inner, outer))
                beyond = walls.outside(face, far if high else face, opening, self.plan, known, widths)
                outer = [
                    jnp.concatenate([b, lax.slice_in_dim(a, 1, n + 1, axis=axis)], axis=axis)
                    for a, b in zip(outer, beyond, strict=True)
                ]
            else:
                face, far = ([lax.slice_in_dim(a, n, n + 1, axis=axis) for a in y] for y in (outer, inner))
                beyond = walls.outside(face, far if high else face, opening, self.plan, known, widths)
                inner = [
                    jnp.concatenate([lax.slice_in_dim(a, 0, n, axis=axis), b], axis=axis)
                    for a, b in zip(inner, beyond, strict=True)
                ]
        return outer, inner

    def _sources(self, around: Sequence[Array], values: Mapping[sp.Basic, Operand]) -> list[Array]:
        """Averages of the sources."""
        there = [s for s in self.law.sources if s != 0]
        found = iter(averaged(there, self.plan, around, self.ghosts, values) if there else ())
        zero = jnp.zeros(self.plan.shape, self.plan.dtype)
        return [zero if s == 0 else next(found) for s in self.law.sources]

    def _pace(
        self, y: Sequence[Array], place: Mapping[sp.Basic, Operand], values: Mapping[sp.Basic, Operand]
    ) -> list[Array]:
        """Steps per time that waves along every axis call for, then those of sources and of diffusion."""
        environment = {**values, **place, **self._state(y)}
        found = []
        for axis, grid in enumerate(self.plan.grid):
            largest: Operand = 0.0
            for block in self.waves.blocks:
                slow, fast = riemann.speeds(block, axis, environment)
                largest = jnp.maximum(largest, jnp.maximum(jnp.abs(slow), jnp.abs(fast)))
                if not block.monotone:
                    # Waves between two states may be faster than those of either.
                    (i,) = block.members
                    low, high = jnp.min(y[i]), jnp.max(y[i])
                    for share in np.linspace(0.05, 0.95, 10).tolist():
                        between = {self.plan.system.unknowns[i].value: low + share * (high - low)}
                        slow, fast = riemann.speeds(block, axis, {**environment, **between})
                        largest = jnp.maximum(largest, jnp.maximum(jnp.abs(slow), jnp.abs(fast)))
            pace = largest / (self.courant * grid.spacing)
            found.append(jnp.max(jnp.asarray(pace, self.plan.dtype)))
        stiff: Operand = 0.0
        for row in self.slopes:
            size = sum((jnp.abs(v) for v in evaluate(row, environment)), start=jnp.zeros((), self.plan.dtype))
            stiff = jnp.maximum(stiff, size)
        spreading = evaluate(self.stiffness, environment)
        rates = [jnp.max(jnp.asarray(rate, self.plan.dtype)) for rate in (stiff, *spreading)]
        return [*found, rates[0], jnp.max(jnp.stack(rates[1:])) if rates[1:] else jnp.zeros_like(rates[0])]

    def _beyond(
        self, y: Sequence[Array], opening: Opening, values: Mapping[sp.Basic, Operand]
    ) -> tuple[tuple[Array, ...], dict[sp.Basic, Array]]:
        """The state outside a wall beside the cells along it, and the place of those faces."""
        k, grid = opening.axis, self.plan.grid[opening.axis]
        at = 0 if opening.side == 0 else grid.n - 1
        inner = [lax.slice_in_dim(a, at, at + 1, axis=k) for a in y]
        place = cells.centres(self.plan, 0)
        symbol = self.plan.system.axes[k].symbol
        end = grid.upper if opening.side else grid.lower
        place[symbol] = jnp.full((1,) * len(self.plan.grid), end, self.plan.dtype)
        widths = [0] * len(self.plan.grid)
        return walls.outside(inner, inner, opening, self.plan, {**values, **place}, widths), place

    def _first_order(
        self, around: Sequence[Array], axis: int, values: Mapping[sp.Basic, Operand], even: bool = False
    ) -> Array:
        """Fluxes of first order: between the averages themselves."""
        ghosts = self.ghosts
        others = [k for k in range(len(self.plan.grid)) if k != axis]
        stacked = jnp.stack([self._trimmed(a, ghosts, dict.fromkeys(others, 0)) for a in around])
        left, right = neighbours(stacked, axis + 1, ghosts)
        place = cells.faces(self.plan, axis, 0)
        outer, inner = self._walled(tuple(left), tuple(right), axis, place, values, False, at_points=False)
        unknowns = [u.value for u in self.plan.system.unknowns]
        return jnp.stack(
            riemann.flux(self.law, self.waves, axis, unknowns, {**values, **place}, outer, inner, even)
        )

    def _bounds(
        self, unknown: int, averages: Array, values: Mapping[sp.Basic, Operand], params: Parameters
    ) -> tuple[Array, Array]:
        """The range of the initial data, of the state, and of what stands outside the walls."""
        least, most = jnp.min(averages), jnp.max(averages)
        found = params if f"least {unknown}" in params else self._ranges(params)
        if f"least {unknown}" in found:
            least = jnp.minimum(least, found[f"least {unknown}"])
            most = jnp.maximum(most, found[f"most {unknown}"])
        state = [averages] * len(self.plan.system.unknowns)
        for opening in self.sides:
            beyond, _ = self._beyond(state, opening, values)
            least = jnp.minimum(least, jnp.min(beyond[unknown]))
            most = jnp.maximum(most, jnp.max(beyond[unknown]))
        return least, most

    def _ranges(self, params: Parameters) -> dict[str, Array]:
        values = self._known(jnp.asarray(self.plan.frames[0], self.plan.dtype), params)
        found = {}
        for i in self.bounded:
            data = self.plan.system.initial[i]
            if data is not None and not data.has(Noise):
                # No name of a parameter has a blank in it.
                found[f"least {i}"], found[f"most {i}"] = cells.extremes(data, self.plan, values)
        return found


def build(plan: Plan) -> FiniteVolumes:
    """The scheme of a plan with `method == "fv"`."""
    assert plan.balance is not None, "finite volumes need a balance law"
    law, waves = plan.balance.law, plan.balance.waves
    values = [u.value for u in plan.system.unknowns]
    names = {v: sp.Dummy(real=True) for v in values}
    back = {n: v for v, n in names.items()}
    space = {a.symbol for a in plan.system.axes}
    moving = {*names.values(), *space}
    curved = tuple(
        any(sp.diff(f.xreplace(names), n).free_symbols & moving for f in row for n in names.values())
        or any(f.xreplace(names).free_symbols & space for f in row)
        for row in law.fluxes
    )
    sources = [flattened(source, plan).xreplace(names) for source in law.sources]
    slopes = tuple(
        tuple(sp.diff(s, n).xreplace(back) for n in names.values())
        for s in sources
        if s.free_symbols & set(names.values())
    )
    bounded = maximum_principle(plan.system, law, waves) if plan.order > 2 else ()
    sides = openings(plan.system, law)
    return FiniteVolumes(
        plan,
        law,
        waves,
        sides,
        curved,
        slopes,
        bounded,
        waves.signed if plan.order > 2 else (),
        courant_number(plan.order, bool(waves.bounded or waves.signed)),
        ghost_cells(plan.system, law, plan.order),
        plan.balance.bases.across if plan.order > 2 else (),
        Passage(plan, law, waves, plan.balance.bases.across),
        diffusion_of(plan, law, sides),
        diffusion_rates(plan.system, law, plan.order, plan.grid),
    )
