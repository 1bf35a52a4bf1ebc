"""Diffusive fluxes through faces: central and conservative, of the order of the scheme.

The value and the normal derivative at a face come from the polynomial with the averages of the cells around
it: two for order 2, six beyond. At a wall the condition's own value or slope takes part in their place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array, lax

from nablax.backends.lowering import Environment, Operand, evaluate
from nablax.backends.volumes import cells, walls
from nablax.backends.volumes.reconstruction import to_averages, to_points
from nablax.backends.volumes.sources import REACH
from nablax.passes.divergence import Law
from nablax.passes.jets import jets, orders_of
from nablax.passes.openings import Opening
from nablax.plan import Plan
from nablax.planning.spreading import cells_beside

INSIDE = {2: 2, 5: 4}  # averages that a wall's value or slope is completed by


@dataclass(frozen=True, slots=True)
class Diffusion:
    """`read[axis]`: the unknowns that fluxes across an axis hold, and the axes along which they are
    differentiated. `curved[axis]`: the flux is no linear function with constant coefficients."""

    plan: Plan
    law: Law
    sides: tuple[Opening, ...]
    read: tuple[Mapping[int, tuple[int, ...]], ...]
    curved: tuple[bool, ...]

    @property
    def axes(self) -> tuple[int, ...]:
        """Those across which something diffuses."""
        return tuple(k for k, row in enumerate(self.law.diffusion) if any(g != 0 for g in row))

    def fluxes(
        self, around: Sequence[Array], axis: int, ghosts: int, values: Mapping[sp.Basic, Operand]
    ) -> Array:
        """Averages over every face across an axis, n + 1 of them along it, stacked over the unknowns."""
        plan = self.plan
        others = [k for k in range(len(plan.grid)) if k != axis]
        high = plan.order > 2 and self.curved[axis]
        reach = REACH if high else 0
        environment: dict[sp.Basic, Operand] = {**values, **cells.faces(plan, axis, reach)}
        for unknown, along in self.read[axis].items():
            sideways = [k for k in others if k in along]
            width = cells_beside(plan.order) if sideways else 0
            wide = dict.fromkeys(others, 2 * reach + width)
            array = _trimmed(around[unknown], dict.fromkeys(others, ghosts), wide)
            value, slope = self._at_faces(array, unknown, axis, ghosts, wide, values)
            kept = dict.fromkeys(others, 2 * reach)
            found = {axis: _trimmed(slope, wide, kept) / plan.grid[axis].spacing}
            for k in sideways:
                sloped = _along(value, k, width, plan.order) / plan.grid[k].spacing
                rest = {j: wide[j] for j in others if j != k}
                found[k] = _trimmed(sloped, rest, dict.fromkeys(rest, 2 * reach))
            value = _trimmed(value, wide, kept)
            function = plan.system.unknowns[unknown].value
            for node, part in [
                (function, value),
                *((sp.Derivative(function, plan.system.axes[k].symbol), a) for k, a in found.items()),
            ]:
                if high:
                    for k in others:
                        part = to_points(part, k)
                environment[node] = part
        shape = tuple(a.n + 1 if k == axis else a.n + 2 * reach for k, a in enumerate(plan.grid))
        result = []
        for evaluated in evaluate(self.law.diffusion[axis], environment):
            flux = jnp.broadcast_to(jnp.asarray(evaluated, plan.dtype), shape)
            if high:
                for k in others:
                    flux = to_averages(flux, k)
            result.append(flux)
        return jnp.stack(result)

    def monotone(
        self, around: Sequence[Array], axis: int, ghosts: int, values: Mapping[sp.Basic, Operand]
    ) -> Array:
        """Fluxes between two averages each, that let no extremum grow."""
        plan = self.plan
        environment: dict[sp.Basic, Operand] = {**values, **cells.faces(plan, axis, 0)}
        shape = tuple(a.n + (k == axis) for k, a in enumerate(plan.grid))
        for unknown, u in enumerate(plan.system.unknowns):
            array = _trimmed(
                around[unknown],
                dict.fromkeys(range(len(plan.grid)), ghosts),
                {k: int(k == axis) for k in range(len(plan.grid))},
            )
            n = array.shape[axis]
            low, high = (lax.slice_in_dim(array, a, n - 1 + a, axis=axis) for a in (0, 1))
            environment[u.value] = (low + high) / 2
            for k, other in enumerate(plan.system.axes):
                slope = (high - low) / plan.grid[axis].spacing if k == axis else jnp.zeros(shape, plan.dtype)
                environment[sp.Derivative(u.value, other.symbol)] = slope
        found = evaluate(self.law.diffusion[axis], environment)
        return jnp.stack([jnp.broadcast_to(jnp.asarray(f, plan.dtype), shape) for f in found])

    def _at_faces(
        self,
        array: Array,
        unknown: int,
        axis: int,
        ghosts: int,
        wide: Mapping[int, int],
        values: Environment,
    ) -> tuple[Array, Array]:
        """Value, and normal derivative times the spacing, at the faces across an axis."""
        half = cells_beside(self.plan.order)
        n = self.plan.grid[axis].n
        rows = _face_rows(half)
        near = [lax.slice_in_dim(array, ghosts - half + j, ghosts - half + j + n + 1, axis=axis)
                for j in range(2 * half)]  # fmt: skip
        value, slope = (walls.sum_of(row, near) for row in rows)
        for opening in (o for o in self.sides if o.axis == axis):
            condition = opening.given[unknown]
            if condition is None:
                continue
            count = INSIDE[self.plan.order]
            inwards = range(count) if opening.side == 0 else range(n - 1, n - 1 - count, -1)
            inner = [lax.slice_in_dim(array, ghosts + j, ghosts + j + 1, axis=axis) for j in inwards]
            widths = [wide.get(k, 0) for k in range(len(self.plan.grid))]
            given = walls.prescribed(condition, inner[0], self.plan, widths, values)
            sign = -1.0 if opening.side else 1.0  # of the derivative along the axis against that inwards
            if not condition.dirichlet:
                given = given * (sign * self.plan.grid[axis].spacing)
            at_wall = _wall_rows(count, condition.dirichlet)
            ends = [walls.sum_of(row, [given, *inner]) for row in at_wall]
            value = _ended(value, ends[0], axis, opening.side)
            slope = _ended(slope, sign * ends[1], axis, opening.side)
        return value, slope


def diffusion_of(plan: Plan, law: Law, sides: tuple[Opening, ...]) -> Diffusion | None:
    """None where nothing diffuses."""
    if not any(g != 0 for row in law.diffusion for g in row):
        return None
    space = tuple(a.symbol for a in plan.system.axes)
    names = {u.value: i for i, u in enumerate(plan.system.unknowns)}
    read: list[dict[int, tuple[int, ...]]] = []
    curved = []
    for row in law.diffusion:
        found: dict[int, set[int]] = {}
        bent = False
        for flux in row:
            for jet in jets(flux):
                function = jet.expr if isinstance(jet, sp.Derivative) else jet
                orders = orders_of(jet, space)
                found.setdefault(names[function], set()).update(k for k, m in enumerate(orders) if m)
                bent = bent or not isinstance(jet, sp.Derivative)
            bent = bent or bool(flux.xreplace({j: sp.Dummy() for j in jets(flux)}).free_symbols & set(space))
        read.append({i: tuple(sorted(along)) for i, along in found.items()})
        curved.append(bent)
    return Diffusion(plan, law, sides, tuple(read), tuple(curved))


def _trimmed(array: Array, have: Mapping[int, int], keep: Mapping[int, int]) -> Array:
    """Less of the cells beyond the ends of axes."""
    for k, width in keep.items():
        cut = have[k] - width
        if cut:
            array = lax.slice_in_dim(array, cut, array.shape[k] - cut, axis=k)
    return array


def _along(values: Array, k: int, width: int, order: int) -> Array:
    """Averages of the derivative along an axis times its spacing; `width` less at either end."""
    slopes = _face_rows(cells_beside(order))[0]
    # The derivative's average is the difference of the values at the two ends of the interval.
    row = np.concatenate([[0.0], slopes]) - np.concatenate([slopes, [0.0]])
    n = values.shape[k] - 2 * width
    first = width - (len(row) - 1) // 2
    parts = [lax.slice_in_dim(values, first + j, first + j + n, axis=k) for j in range(len(row))]
    return walls.sum_of(row, parts)


def _face_rows(half: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the value and of the derivative between `half` averages on either side."""
    left = np.arange(-half, half, dtype=float)
    powers = np.arange(2 * half)
    matrix = ((left[:, None] + 1) ** (powers + 1) - left[:, None] ** (powers + 1)) / (powers + 1)
    inverse = np.linalg.inv(matrix)
    return inverse[0], inverse[1]


def _wall_rows(count: int, value: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights of value and derivative at a wall: of what is given there, and of averages inwards."""
    powers = np.arange(count + 1)
    left = np.arange(count, dtype=float)[:, None]
    averages = ((left + 1) ** (powers + 1) - left ** (powers + 1)) / (powers + 1)
    inverse = np.linalg.inv(np.vstack([np.eye(count + 1)[0 if value else 1], averages]))
    return inverse[0], inverse[1]


def _ended(array: Array, end: Array, axis: int, side: int) -> Array:
    n = array.shape[axis]
    rest = lax.slice_in_dim(array, 1 - side, n - side, axis=axis)
    return jnp.concatenate([end, rest] if side == 0 else [rest, end], axis=axis)
