"""Several evaluations of the right-hand side between two looks at what lies around the nodes.

Arrays that reach `depth` times the stencil's radius beyond the grid allow `depth` evaluations in a row,
each on a box smaller by one radius: no ghost is rebuilt in between. Periodic axes go on with copies.
Beyond a wall lie values that nothing inside reads: the pinned node in between is the last that a stencil
of radius 1 meets, and the rate is zero on it and behind it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
import sympy as sp
from jax import Array, lax

from nablax.backends.differences.equations import Extent, Pointwise, RightSide, value
from nablax.backends.differences.kernels import Stencil
from nablax.backends.differences.layout import Place, Region, grow, slab
from nablax.backends.differences.nodes import Nodes
from nablax.backends.interface import Parameters, Vector
from nablax.backends.stepping.blocks import block_rows
from nablax.planning.ghosts import whole_grid
from nablax.planning.tables import reads_files


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

    @property
    def rows_alike(self) -> bool:
        """Along a periodic first axis, where nothing depends on its coordinate."""
        plan = self.nodes.plan
        if not plan.grid[0].periodic or plan.arrays or reads_files(plan.system):
            return False
        x = plan.system.axes[0].symbol
        return not any(_reads(side, x) for side in self.sides)

    def block(self, depth: int) -> int | None:
        """Rows for which so many evaluations stay in a cache, where blocks of rows are possible and pay."""
        if not self.rows_alike:
            return None
        nodes = self.nodes
        size = sum(nodes.dtype(u).itemsize for u in range(len(nodes.places)))
        return block_rows(nodes.plan.shape, size, tuple(depth * r for r in self.reach))

    def part(self, rows: int) -> "WideHalo":
        """The scheme on so many neighbouring rows."""
        first, *others = self.nodes.plan.grid
        short = replace(first, n=rows, upper=first.lower + rows * first.spacing)
        plan = replace(self.nodes.plan, grid=(short, *others))
        places = tuple(replace(p, evolving=((0, rows), *p.evolving[1:])) for p in self.nodes.places)
        return replace(self, nodes=replace(self.nodes, plan=plan, places=places))

    def extend(self, y: Vector, depth: int, axes: tuple[int, ...] | None = None) -> Vector:
        chosen = range(len(self.reach)) if axes is None else axes
        return tuple(self._extended(array, depth, chosen) for array in y)

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

    def _extended(self, array: Array, depth: int, axes: Iterable[int]) -> Array:
        for k in axes:
            n, width = array.shape[k], depth * self.reach[k]
            if not width:
                continue
            if self.nodes.plan.grid[k].periodic:
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


def _reads(side: RightSide, symbol: sp.Symbol) -> bool:
    """Whether a coefficient or a flux depends on a coordinate other than through the unknowns."""
    pointwise = [side.local, *(f.flux for f in side.fluxes)]
    bare = [p.expression.xreplace({a.node: sp.Dummy() for a in p.atoms}) for p in pointwise]
    stencils = [part.stencil for part in side.linear]
    inside = [e for s in stencils for e in s.expressions]
    return any(e.has(symbol) for e in (*bare, *inside, *(part.coefficient for part in side.linear)))


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
