"""(-Δ)^(α/2) of a field at points by its modes: see `nablax.derivatives.surroundings`."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.jets import jet_at
from nablax.backends.residuals.layout import Slot
from nablax.backends.residuals.networks import Part
from nablax.derivatives.surroundings import LatticeSum

CHUNK = 2**16  # points of the network at a time


def lattice_sum(
    whole: LatticeSum,
    part: Part,
    slots: Sequence[Slot],
    z: Array,
    environment: Mapping[sp.Basic, Operand],
) -> Array:
    """Values [points] at points z [points, axes]: a weighted sum over the lattice through each."""
    own = [next(s for s in slots if s.axis.symbol == x) for x in whole.axes]
    steps, signs = [], []
    for slot, mirrors in zip(own, whole.mirrors, strict=True):
        period = _periods(mirrors) * (slot.high - slot.low)
        shifts = jnp.asarray(np.arange(whole.count) * (period / whole.count), z.dtype)
        along = z[:, slot.start, None] + shifts[None]
        place, sign = _folded(along, slot, mirrors)
        steps.append(place)
        signs.append(sign)
    weights = _weights(whole, own, environment).astype(z.dtype)
    at = partial(jet_at, part, whole.jet)

    def one(point: Array, places: Sequence[Array], images: Sequence[Array]) -> Array:
        grid = jnp.stack(jnp.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, len(own))
        moved = jnp.broadcast_to(point, (len(grid), z.shape[1]))
        moved = moved.at[:, np.array([s.start for s in own])].set(grid)
        factor = weights
        for k, image in enumerate(images):
            factor = factor * image.reshape([-1 if j == k else 1 for j in range(len(own))])
        return jnp.sum(jax.vmap(at)(moved) * factor.reshape(-1))

    nodes = whole.count ** len(own)
    found: Array
    if len(z) * nodes <= CHUNK:
        found = jax.vmap(one)(z, steps, signs)
    else:
        found = jax.lax.map(
            jax.checkpoint(lambda x: one(*x)), (z, steps, signs), batch_size=max(CHUNK // nodes, 1)
        )
    return found


def _periods(mirrors: tuple[int, int]) -> int:
    """The period of the mirrored field in lengths of its axis."""
    left, right = mirrors
    return 1 if left == 0 else 2 if left == right else 4


def _folded(places: Array, slot: Slot, mirrors: tuple[int, int]) -> tuple[Array, Array]:
    """Coordinates as points of the axis, and the signs of the field's images there."""
    length = slot.high - slot.low
    share = (places - slot.low) / length
    turns = jnp.floor(share)
    inside = share - turns
    if mirrors[0] == 0:
        return slot.low + length * inside, jnp.ones_like(places)
    odd = jnp.mod(turns, 2) == 1
    # Every crossing of the upper wall brings its sign, every one of the lower wall the other.
    above, below = jnp.ceil(turns / 2), jnp.floor(turns / 2)
    sign = jnp.where(jnp.mod(above, 2) == 1, mirrors[1], 1) * jnp.where(jnp.mod(below, 2) == 1, mirrors[0], 1)
    return slot.low + length * jnp.where(odd, 1 - inside, inside), sign.astype(places.dtype)


def _weights(whole: LatticeSum, own: Sequence[Slot], environment: Mapping[sp.Basic, Operand]) -> Array:
    """w_j = N^(-d) Σ_k |k|^α cos(k·x_j), [count] * axes; made on the host where the order is a number."""
    squares = np.zeros(())
    for i, (slot, mirrors) in enumerate(zip(own, whole.mirrors, strict=True)):
        period = _periods(mirrors) * (slot.high - slot.low)
        k = 2 * np.pi * np.fft.fftfreq(whole.count, period / whole.count)
        squares = squares + (k**2).reshape([-1 if j == i else 1 for j in range(len(own))])
    if whole.order.is_number:
        return jnp.asarray(np.fft.ifftn(squares ** (float(whole.order) / 2)).real)
    (order,) = evaluate((whole.order,), environment)
    power = jnp.asarray(np.where(squares > 0, squares, 1)) ** (jnp.asarray(order) / 2)
    return jnp.fft.ifftn(jnp.where(jnp.asarray(squares > 0), power, 0)).real
