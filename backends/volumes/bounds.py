"""Fluxes of one conserved quantity, limited so that a step makes no new extremum.

Zalesak, J. Comput. Phys. 31 (1979) 335: what the high-order flux adds to the monotone one is cut back
where it would push a cell beyond the bounds; these are global, so that smooth extrema keep their order.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jax import Array, lax

from nablax.plan import GridAxis


def limited(
    averages: Array,
    high: Mapping[int, Array],
    low: Mapping[int, Array],
    bounds: tuple[Array, Array],
    step: Array,
    grid: Sequence[GridAxis],
) -> dict[int, Array]:
    """Fluxes by axis, n + 1 along it, between `low` (monotone for an Euler step of size `step`) and `high`.

    `bounds` are the least and the largest value allowed; `averages` lie between them.
    """
    ratios = {axis: step / grid[axis].spacing for axis in high}
    start = averages
    for axis, flux in low.items():
        start = start - ratios[axis] * _difference(flux, axis)
    zero = jnp.zeros_like(averages)
    gains, losses = zero, zero
    extra = {axis: high[axis] - low[axis] for axis in high}
    for axis, flux in extra.items():
        into, out = ratios[axis] * lower(flux, axis), -ratios[axis] * upper(flux, axis)
        gains = gains + jnp.maximum(into, zero) + jnp.maximum(out, zero)
        losses = losses + jnp.minimum(into, zero) + jnp.minimum(out, zero)
    least, most = bounds
    up = _share(jnp.maximum(most - start, zero), gains)
    down = _share(jnp.maximum(start - least, zero), -losses)
    found = {}
    for axis, flux in extra.items():
        periodic = grid[axis].periodic
        raised, lowered = beside(up, axis, periodic), beside(down, axis, periodic)
        kept = jnp.where(flux > 0, jnp.minimum(lowered[0], raised[1]), jnp.minimum(raised[0], lowered[1]))
        found[axis] = low[axis] + kept * flux
    return found


def _share(room: Array, wanted: Array) -> Array:
    """How much of what is wanted there is room for: at most 1."""
    safe = jnp.where(wanted > 0, wanted, jnp.ones_like(wanted))
    return jnp.where(wanted > 0, jnp.minimum(room / safe, 1.0), jnp.ones_like(wanted))


def beside(cells: Array, axis: int, periodic: bool) -> tuple[Array, Array]:
    """The cell on the lower and on the upper side of every face; beyond a wall there is nothing to limit."""
    n = cells.shape[axis]
    first, last = (lax.slice_in_dim(cells, i, i + 1, axis=axis) for i in (0, n - 1))
    below, above = (last, first) if periodic else (jnp.ones_like(first), jnp.ones_like(last))
    return jnp.concatenate([below, cells], axis=axis), jnp.concatenate([cells, above], axis=axis)


def lower(flux: Array, axis: int) -> Array:
    """The flux through the lower face of every cell."""
    return lax.slice_in_dim(flux, 0, flux.shape[axis] - 1, axis=axis)


def upper(flux: Array, axis: int) -> Array:
    """The flux through the upper face of every cell."""
    return lax.slice_in_dim(flux, 1, flux.shape[axis], axis=axis)


def _difference(flux: Array, axis: int) -> Array:
    return upper(flux, axis) - lower(flux, axis)
