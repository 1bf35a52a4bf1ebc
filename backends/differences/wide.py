"""Several evaluations of the right-hand side between two looks at what lies around the nodes.

Arrays that reach `depth` times the stencil's radius beyond the grid allow `depth` evaluations in a row,
each on a box smaller by one radius: no ghost is rebuilt in between. Periodic axes go on with copies.
Beyond a wall lie values that nothing inside reads: the pinned node in between is the last that a stencil
of radius 1 meets, and the rate is zero on it and behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.differences.equations import Extent, Pointwise, RightSide, value
from nablax.backends.differences.kernels import Stencil
from nablax.backends.differences.layout import Place, Region, grow, slab
from nablax.backends.differences.nodes import Nodes
from nablax.backends.interface import Parameters, Vector
from nablax.planning.ghosts import whole_grid


@dataclass(frozen=True, slots=True)
class WideHalo:
    """Meets `Extensible`. `reach` is the radius per axis of one evaluation."""

    nodes: Nodes
    sides: tuple[RightSide, ...]
    reach: tuple[int, ...]

    @property
    def most(self) -> int:
        """The largest depth: a periodic copy is never wider than the grid."""
        axes = zip(self.nodes.plan.grid, self.reach, strict=True)
        return min((axis.n // r for axis, r in axes if r), default=1)

    def extend(self, y: Vector, depth: int) -> Vector:
        return tuple(self._extended(array, depth) for array in y)

    def crop(self, arrays: Vector, depth: int, to: int) -> Vector:
        result = []
        for array in arrays:
            for k, r in enumerate(self.reach):
                width = (depth - to) * r
                if width:
                    array = slab(array, k, width, array.shape[k] - width)
            result.append(array)
        return tuple(result)

    def rate(self, depth: int, t: Array, arrays: Vector, params: Parameters) -> Vector:
        """On the box of depth - 1, from arrays of `depth`; zero on walls and behind them."""
        nodes = self.nodes
        scalars = nodes.scalars(t, params)
        around = tuple((depth * r, depth * r) for r in self.reach)
        places = [replace(place, halo=around) for place in nodes.places]
        region = self._region(depth - 1)
        shape = tuple(b - a for a, b in region)
        padded = dict(enumerate(arrays))
        result = []
        for u, side in enumerate(self.sides):
            found = value(side, Extent(region, region), padded, places, nodes.plan, scalars)
            rate = jnp.broadcast_to(nodes.cast(jnp.asarray(found), u), shape)
            result.append(self._evolving(rate, nodes.places[u], region))
        return tuple(result)

    def _region(self, depth: int) -> Region:
        everywhere = tuple((0, n) for n in self.nodes.plan.shape)
        return grow(everywhere, tuple(depth * r for r in self.reach))

    def _extended(self, array: Array, depth: int) -> Array:
        for k, (axis, r) in enumerate(zip(self.nodes.plan.grid, self.reach, strict=True)):
            n, width = array.shape[k], depth * r
            if not width:
                continue
            if axis.periodic:
                before, after = slab(array, k, n - width, n), slab(array, k, 0, width)
            else:
                shape = tuple(width if j == k else m for j, m in enumerate(array.shape))
                before = jnp.broadcast_to(slab(array, k, 0, 1), shape)
                after = jnp.broadcast_to(slab(array, k, n - 1, n), shape)
            array = jnp.concatenate([before, array, after], axis=k)
        return array

    def _evolving(self, rate: Array, place: Place, region: Region) -> Array:
        inside: Array | None = None
        for k, axis in enumerate(self.nodes.plan.grid):
            if axis.periodic:
                continue
            position = lax.broadcasted_iota(jnp.int32, rate.shape, k) + region[k][0]
            here = (position >= place.evolving[k][0]) & (position < place.evolving[k][1])
            inside = here if inside is None else inside & here
        return rate if inside is None else jnp.where(inside, rate, 0)


def wide_halo(nodes: Nodes, sides: tuple[RightSide, ...]) -> WideHalo | None:
    """None where something in between changes with every step: ghosts that follow from wall conditions,
    wall values that follow from time, values of the whole grid."""
    plan = nodes.plan
    reach = tuple(max(_reach(side, k) for side in sides) for k in range(len(plan.grid)))
    for k, axis in enumerate(plan.grid):
        if axis.periodic:
            continue
        fixed = all(place.halo[k] == (0, 0) for place in nodes.places)
        if not fixed or reach[k] > 1 or plan.order == 0:
            return None
    if whole_grid(plan.system):
        return None
    time = plan.system.time
    values = [wall.pinned for place in nodes.places for wall in place.held]
    # Traces hold time, too.
    if time is None or any(v is None or v.has(time.symbol) for v in values):
        return None
    return WideHalo(nodes, sides, reach) if any(reach) else None


def _reach(side: RightSide, axis: int) -> int:
    """How far one side reads along an axis."""
    linear = [_radius(part.stencil, axis) for part in side.linear]
    fluxes = [flux.reach[axis] + _atoms(flux.flux, axis) for flux in side.fluxes]
    return max([*linear, _atoms(side.local, axis), *fluxes], default=0)


def _atoms(item: Pointwise, axis: int) -> int:
    return max((_radius(atom.stencil, axis) for atom in item.atoms), default=0)


def _radius(stencil: Stencil, axis: int) -> int:
    offsets: Sequence[tuple[int, ...]] = [offset for _, members in stencil.groups for _, offset in members]
    return max((abs(offset[axis]) for offset in offsets), default=0)
