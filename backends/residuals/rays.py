"""(-Δ)^(α/2) of a field at points as sums along rays: see `nablax.derivatives.surroundings`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from jax.scipy.special import gammaln

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.directions import (
    Bundle,
    drawn,
    reach_of_ball,
    reach_of_box,
    round_rule,
    to_faces,
    turned,
)
from nablax.backends.residuals.jets import jet_at
from nablax.backends.residuals.layout import Slot
from nablax.backends.residuals.networks import Part
from nablax.derivatives import quadrature
from nablax.derivatives.surroundings import MOST_DIMENSIONS, RaySum
from nablax.nonlocal_operators import BALL, BOX, SPACE

NEAR = 0.5  # the share of the way to the nearest wall that the near part takes
NEAREST = 1e-6  # points nearer to a wall than so many half widths are taken to be that far from it
WALL_GRADE = 3  # gathers nodes at walls, where fields vanish like a fractional power of the distance
ROUNDING = 32  # units in the last place
WIDE = 8.0  # half widths after which a field in all of space is sampled ever more coarsely

Environment = Mapping[sp.Basic, Operand]
PointFunction = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Region:
    """Where the field may differ from zero, from points [points, dimensions]."""

    points: Array
    lower: np.ndarray
    upper: np.ndarray

    @property
    def width(self) -> float:
        """Half of the shortest side."""
        return float(np.min(self.upper - self.lower)) / 2

    @property
    def below(self) -> Array:
        lower = jnp.asarray(self.lower, self.points.dtype)[None]
        return jnp.maximum(self.points - lower, NEAREST * self.width)

    @property
    def above(self) -> Array:
        upper = jnp.asarray(self.upper, self.points.dtype)[None]
        return jnp.maximum(upper - self.points, NEAREST * self.width)

    @property
    def centred(self) -> Array:
        """The points seen from the centre, those outside of the ball or on its surface moved just inside."""
        offset = self.points - jnp.asarray((self.lower + self.upper) / 2, self.points.dtype)[None]
        size = jnp.linalg.norm(offset, axis=-1, keepdims=True)
        most = (1 - NEAREST) * self.width
        return jnp.where(size > most, offset * (most / jnp.maximum(size, most)), offset)


def ray_sum(
    whole: RaySum,
    part: Part,
    slots: Sequence[Slot],
    z: Array,
    environment: Environment,
    key: Array | None,
) -> Array:
    """Values [points] at points z [points, axes]; `key` where directions are drawn."""
    own = [s for s in slots if s.axis.symbol in whole.axes]
    columns = np.concatenate([np.arange(s.start, s.start + s.size) for s in own])
    ends = [
        np.concatenate([np.full(s.size, e) for s, e in zip(own, es, strict=True)])
        for es in ([s.low for s in own], [s.high for s in own])
    ]
    region = Region(z[:, columns], *ends)
    order = _order(whole, environment)
    near, reach_near, far, reach = _bundles(whole, region, key)

    value_at = partial(jet_at, part, whole.jet)

    def at(points: Array) -> Array:
        """Values [...] at points [..., axes]."""
        flat = points.reshape(-1, points.shape[-1])
        return jax.vmap(value_at)(flat).reshape(points.shape[:-1])

    def bent(points: Array, along: Array) -> Array:
        """Second derivatives [...] at points along unit vectors [..., axes]."""

        def one(point: Array, direction: Array) -> Array:
            def slope(y: Array) -> Array:
                rate: Array = jax.jvp(value_at, (y,), (direction,))[1]
                return rate

            second: Array = jax.jvp(slope, (point,), (direction,))[1]
            return second

        flat = points.reshape(-1, points.shape[-1]), along.reshape(-1, points.shape[-1])
        return jax.vmap(one)(*flat).reshape(points.shape[:-1])

    here = at(z)
    dtype, rays = z.dtype, whole.rays
    alpha = jnp.asarray(order, dtype)
    # Near: -Σ u'' K.
    share = jnp.asarray(whole.near, dtype)
    kernel = _weights(whole.near, quadrature.near_moments(len(whole.near), order), dtype)
    where, along = _moved(z, columns, near.vectors, reach_near[..., None] * share[None, None])
    inner = -jnp.einsum("prn,n->pr", bent(where, along), kernel) * reach_near ** (2 - alpha)
    total = jnp.sum(inner * near.weights, axis=1)
    # Far: from ρ to the end of the region, gathered at both in the logarithm.
    start = reach_near if whole.drawn else reach_near[:, :1]  # a rule's near part is a ball
    stretch = jnp.log(reach / start)
    rule = quadrature.Nodes(quadrature.nodes(rays.far, 0.0), WALL_GRADE if whole.support != SPACE else 1)
    # None so near to the end that rounding moves its point beyond it.
    shares = jnp.asarray(np.minimum(rule.shares, 1 - ROUNDING * float(np.finfo(dtype).eps)), dtype)
    slopes = jnp.asarray(quadrature.weights(rule, 0.0), dtype)
    r = start[..., None] * jnp.exp(stretch[..., None] * shares[None, None])
    where, _ = _moved(z, columns, far.vectors, r)
    outer = jnp.sum((here[:, None, None] - at(where)) * slopes[None, None] * r**-alpha, axis=-1) * stretch
    total = total + jnp.sum((outer + here[:, None] * reach**-alpha / alpha) * far.weights, axis=1)
    beyond = _beyond(whole, at, z, columns, far, reach, order, environment)
    if beyond is not None:
        total = total - jnp.sum(beyond * far.weights, axis=1)
    return total * _constant(order, len(columns)).astype(dtype)


def _bundles(whole: RaySum, region: Region, key: Array | None) -> tuple[Bundle, Array, Bundle, Array]:
    """Rays of the near part with their lengths, rays of the far part with theirs."""
    dimensions = region.points.shape[1]
    count, dtype, rays = len(region.points), region.points.dtype, whole.rays

    def reach(bundle: Bundle) -> Array:
        if whole.support == SPACE:
            return jnp.full((count, bundle.vectors.shape[1]), WIDE * region.width, dtype)
        if whole.support == BALL:
            return reach_of_ball(region.centred, region.width, bundle.vectors)
        return reach_of_box(region.below, region.above, bundle.vectors)

    if whole.drawn:
        assert key is not None, "random directions without a key"
        bundle = drawn(key, count, whole.drawn, dimensions, dtype)
        lengths = reach(bundle)
        opposite = jnp.roll(lengths, lengths.shape[1] // 2, axis=1)
        near = NEAR * jnp.minimum(lengths, opposite)
        if whole.support == SPACE:
            near = jnp.full_like(lengths, NEAR * region.width)
        return bundle, near, bundle, lengths
    around = _fixed(*round_rule(dimensions, *rays.around), dtype)
    shortest: Array
    if whole.support == BOX:
        bundle, lengths = to_faces(region.below, region.above, rays.face)
        shortest = jnp.minimum(region.below, region.above).min(axis=1)
    elif whole.support == BALL:
        rule = round_rule(dimensions, *rays.round)
        bundle = turned(*rule, region.centred) if dimensions == MOST_DIMENSIONS else _fixed(*rule, dtype)
        lengths = reach(bundle)
        shortest = region.width - jnp.linalg.norm(region.centred, axis=1)
    else:
        bundle = _fixed(*round_rule(dimensions, *rays.round), dtype)
        lengths = reach(bundle)
        shortest = jnp.full(count, region.width, dtype)
    near = jnp.broadcast_to(NEAR * shortest[:, None], (count, around.vectors.shape[1]))
    return around, near, bundle, lengths


def _fixed(vectors: np.ndarray, weights: np.ndarray, dtype: jnp.dtype) -> Bundle:
    return Bundle(jnp.asarray(vectors, dtype)[None], jnp.asarray(weights, dtype)[None])


def _moved(z: Array, columns: np.ndarray, vectors: Array, r: Array) -> tuple[Array, Array]:
    """Points z + rθ [points, rays, nodes, axes] and the unit vectors there."""
    shape = (*r.shape, z.shape[1])
    along = jnp.zeros((*vectors.shape[:2], 1, z.shape[1]), z.dtype).at[..., columns].set(vectors[:, :, None])
    return z[:, None, None] + r[..., None] * along, jnp.broadcast_to(along, shape)


def _order(whole: RaySum, environment: Environment) -> float | Array:
    """A number where it is one, so that weights are made on the host."""
    if whole.order.is_number:
        return float(whole.order)
    (value,) = evaluate((whole.order,), environment)
    return jnp.asarray(value)


def _weights(places: tuple[float, ...], moments: Sequence[float | Array], dtype: jnp.dtype) -> Array:
    """The weights [nodes] with these modified moments."""
    matrix = quadrature.from_moments(places)
    if isinstance(moments[0], float):
        return jnp.asarray(matrix @ np.asarray(moments), dtype)
    return (jnp.asarray(matrix) @ jnp.stack(moments)).astype(dtype)


def _beyond(
    whole: RaySum,
    at: Callable[[Array], Array],
    z: Array,
    columns: np.ndarray,
    far: Bundle,
    reach: Array,
    order: float | Array,
    environment: Environment,
) -> Array | None:
    """∫_R^∞ g(x + rθ) r^(-1-α) dr [points, rays], g the field outside; None where it is zero."""
    if whole.support != SPACE and whole.outside == 0:
        return None
    places = quadrature.nodes(whole.rays.beyond, 0.0)
    weights = _weights(places, quadrature.moments(len(places), order - 1), z.dtype)
    where, _ = _moved(z, columns, far.vectors, reach[..., None] / jnp.asarray(places, z.dtype)[None, None])
    if whole.support == SPACE:
        values = at(where)
    else:
        known = {
            k: v[:, None, None] if isinstance(v, Array) and v.ndim == 1 else v for k, v in environment.items()
        }
        known[whole.axes[0]] = where[..., int(columns[0])]
        (found,) = evaluate((whole.outside,), known)
        values = jnp.broadcast_to(jnp.asarray(found, z.dtype), where.shape[:-1])
    return jnp.einsum("prn,n->pr", values, weights) * reach ** -jnp.asarray(order, z.dtype)


def _constant(order: float | Array, dimensions: int) -> Array:
    """c times the area of the unit sphere: α 2^α Γ((d + α)/2) / (Γ(d/2) Γ(1 - α/2))."""
    half = dimensions / 2
    return order * 2**order * jnp.exp(gammaln(half + order / 2) - gammaln(half) - gammaln(1 - order / 2))
