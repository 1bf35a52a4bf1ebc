"""The nodes of a plan: ghosts attached, walls completed, right-hand sides evaluated on what evolves."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.differences.equations import Extent, RightSide, value
from nablax.backends.differences.exterior import Exterior
from nablax.backends.differences.halo import Scalars, pad, wall_values
from nablax.backends.differences.layout import Place, coordinates, slab, window
from nablax.backends.differences.operators import Operator
from nablax.backends.differences.traces import nodal, traced_data
from nablax.backends.differences.walls import Wall
from nablax.backends.integrals import integral_values
from nablax.backends.interface import Parameters, Vector
from nablax.backends.lowering import Operand
from nablax.backends.nodes import known
from nablax.plan import Plan


@dataclass(frozen=True, slots=True)
class Nodes:
    """Pure functions of a plan and the places of its unknowns."""

    plan: Plan
    places: tuple[Place, ...]
    integrals: tuple[sp.Expr, ...] = ()
    operators: tuple[Operator, ...] = ()
    exteriors: tuple[Exterior, ...] = ()

    @property
    def prepared(self) -> tuple[Operator | Exterior, ...]:
        """What has a kernel that follows from the parameters alone."""
        return (*self.operators, *self.exteriors)

    def acted(self, scalars: Scalars, y: Mapping[int, Array]) -> Scalars:
        """The scalars with the values of nonlocal operators on nodal arrays, as far as y has them."""
        if not self.operators:
            return scalars
        mine = [o for o in self.operators if o.unknown in y]
        return {**scalars, **{o.node: o.apply(y[o.unknown], scalars) for o in mine}}

    def valued(self, scalars: Scalars, y: Mapping[int, Array]) -> Scalars:
        """The scalars with the values of all integral terms and nonlocal operators at nodal arrays y of every
        unknown."""
        scalars = self.acted(scalars, y)
        if self.exteriors:
            scalars = {**scalars, **{e.node: e.value(scalars) for e in self.exteriors}}
        if not self.integrals:
            return scalars
        everywhere = tuple((0, n) for n in self.plan.shape)
        known = {**scalars, **coordinates(self.plan, everywhere)}
        return {
            **scalars,
            **integral_values(self.integrals, self.plan, known, lambda j: nodal(j, self.plan, y)),
        }

    def scalars(self, t: Array | None, params: Parameters) -> Scalars:
        """Values of parameters and time by symbol, and the kernels of nonlocal operators."""
        system, dtype = self.plan.system, jnp.dtype(self.plan.dtype)
        result = known(self.plan, params)
        if t is not None and system.time is not None:
            result[system.time.symbol] = jnp.asarray(t, dtype)
        for held in self.prepared:
            given = params.get(held.key.name)
            result[held.key] = held.kernel(result) if given is None else given
        return result

    def dtype(self, unknown: int) -> jnp.dtype:
        """The dtype of an unknown's array."""
        real = jnp.dtype(self.plan.dtype)
        return jnp.dtype(np.result_type(real, np.complex64)) if self.places[unknown].complex else real

    def padded(
        self,
        y: Mapping[int, Array],
        scalars: Scalars,
        homogeneous: bool,
        state: Mapping[int, Array] | None = None,
    ) -> dict[int, Array]:
        """Nodal arrays with their ghosts. `homogeneous` takes all wall data for zero; otherwise those that
        hold traces are taken at `state`, which is `y` unless given."""
        walls = [wall for place in self.places for pair in place.walls if pair is not None for wall in pair]
        traced = {} if homogeneous else traced_data(walls, self.plan, y if state is None else state, scalars)
        return {u: pad(a, self.places[u], self.plan, scalars, homogeneous, traced) for u, a in y.items()}

    def inner(self, side: RightSide, unknown: int, padded: Mapping[int, Array], scalars: Scalars) -> Array:
        """A right-hand side on the evolving nodes of its unknown, in its dtype."""
        region = self.places[unknown].evolving
        return self._evaluated(side, unknown, Extent(region, region), padded, scalars)

    def whole(self, side: RightSide, unknown: int, padded: Mapping[int, Array], scalars: Scalars) -> Array:
        """A right-hand side on all nodes, zero on the pinned ones."""
        everywhere = tuple((0, n) for n in self.plan.shape)
        return self._evaluated(
            side, unknown, Extent(self.places[unknown].evolving, everywhere), padded, scalars
        )

    def _evaluated(
        self, side: RightSide, unknown: int, extent: Extent, padded: Mapping[int, Array], scalars: Scalars
    ) -> Array:
        found = jnp.asarray(value(side, extent, padded, self.places, self.plan, scalars))
        return jnp.broadcast_to(self.cast(found, unknown), tuple(b - a for a, b in extent.outer))

    def cast(self, array: Array, unknown: int) -> Array:
        """To the unknown's dtype; of a complex value a real unknown takes the real part."""
        if jnp.iscomplexobj(array) and not self.places[unknown].complex:
            array = jnp.real(array)
        return array.astype(self.dtype(unknown))

    def inside(self, array: Array, unknown: int) -> Array:
        """The evolving nodes of a nodal array."""
        none = (0,) * array.ndim
        return window(array, ((0, 0),) * array.ndim, self.places[unknown].evolving, none)

    def walls(self, array: Array, unknown: int) -> Array:
        """A nodal array with zeros on the evolving nodes."""
        return array - self.surround(self.inside(array, unknown), unknown)

    def surround(
        self,
        inner: Array,
        unknown: int,
        values: Mapping[Wall, sp.Expr | Array] | None = None,
        scalars: Scalars | None = None,
    ) -> Array:
        """Values on the evolving nodes, completed by `values` on the held walls, zero where not given.

        Arrays of values have the shape of the wall, with size 1 along its axis (or broadcast to it).
        """
        place = self.places[unknown]
        if not values:
            widths = [(a, n - b) for (a, b), n in zip(place.evolving, self.plan.shape, strict=True)]
            # One pad of the interior: on CPU faster than concatenating zeros.
            return jnp.pad(inner, widths) if any(a or b for a, b in widths) else inner
        # The last axis first: an earlier axis owns the corners.
        for k in reversed(range(inner.ndim)):
            pair = place.walls[k]
            if pair is None:
                continue
            blocks = [inner]
            for wall in pair:
                if not wall.held:
                    continue
                block = self._on_wall(values.get(wall, sp.Integer(0)), wall, unknown, scalars or {})
                blocks = [block, *blocks] if wall.side == 0 else [*blocks, block]
            inner = jnp.concatenate(blocks, axis=k) if len(blocks) > 1 else inner
        return inner

    def _on_wall(self, given: sp.Expr | Array, wall: Wall, unknown: int, scalars: Scalars) -> Array:
        """Values on a wall: all its nodes along later axes, evolving ones along earlier axes."""
        k, place, shape = wall.axis, self.places[unknown], self.plan.shape
        found: Operand = (
            wall_values([given], wall, self.plan, scalars, [(0, 0)] * len(shape), False)[0]
            if isinstance(given, sp.Expr)
            else given
        )
        whole = tuple(1 if j == k else n for j, n in enumerate(shape))
        block = jnp.broadcast_to(self.cast(jnp.asarray(found), unknown), whole)
        for j, (lower, upper) in enumerate(place.evolving):
            if j < k:
                block = slab(block, j, lower, upper)
        return block

    def core(self, carry: Vector) -> Vector:
        """The nodes of halo-padded arrays."""
        result = []
        for array, place in zip(carry, self.places, strict=True):
            for k, (lower, upper) in enumerate(place.halo):
                if lower or upper:
                    array = slab(array, k, lower, lower + self.plan.shape[k])
            result.append(array)
        return tuple(result)
