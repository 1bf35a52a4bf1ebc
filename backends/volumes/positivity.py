"""What keeps states where they make sense: densities and pressures positive, whatever a law calls them.

Its text says which quantities those are: what it divides by and takes roots or logarithms of, the squares of
its wave speeds (`Characteristics.guards`), and unknowns that nothing moves where they are zero
(`Characteristics.signed`), whose bounds `nablax.backends.volumes.bounds` keeps. X. Zhang and C.-W. Shu
(J. Comput. Phys. 229 (2010) 8918) draw reconstructed polynomials towards averages for that; here, where a
step would change a sign, fluxes are drawn towards Rusanov's until both halves of the averages, U ∓ 2 dt F/h,
keep it (X. Y. Hu, N. A. Adams, C.-W. Shu, J. Comput. Phys. 242 (2013) 169), which needs no polynomial. All
other fluxes stay as they are, and so does what is conserved.
"""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.volumes.bounds import beside, lower, upper
from nablax.plan import GridAxis

Guards = Callable[[Sequence[Array]], Sequence[Array]]
"""Quantities of states (arrays by unknown) that keep their sign."""

ROUNDING = {"float64": 1e-13, "float32": 1e-6}
SLACK = 1e-6
KEPT = 1e-3  # of a quantity at the safe end, at least
FAR = 1e6  # times the largest average: as good as no bound


def sign_bounds(averages: Array) -> tuple[Array, Array]:
    """The least and the largest value of a quantity that keeps its sign where its averages have one."""
    largest = jnp.max(jnp.abs(averages))
    slack = ROUNDING[averages.dtype.name] * largest
    least = jnp.where(jnp.min(averages) >= -slack, jnp.minimum(jnp.min(averages), 0.0), -FAR * largest)
    most = jnp.where(jnp.max(averages) <= slack, jnp.maximum(jnp.max(averages), 0.0), FAR * largest)
    return least, most


def kept(
    guards: Guards,
    averages: Array,
    through: dict[int, Array],
    first_order: Callable[[], dict[int, Array]],
    paces: Sequence[Array],
    grid: Sequence[GridAxis],
) -> dict[int, Array]:
    """Fluxes by axis, (unknowns, n + 1 faces along it), after a step of which all quantities keep their sign.

    `first_order` gives Rusanov's fluxes; `paces` are the steps per time that waves along every axis call for,
    then those of anything else. Waves cross less than half a cell in a step.
    """
    total = sum(paces[1:], start=paces[0])
    step = jnp.where(total > 0, 1 / jnp.where(total > 0, total, 1.0), 0.0)
    after = averages
    for axis, flux in through.items():
        after = after - step / grid[axis].spacing * (upper(flux, axis + 1) - lower(flux, axis + 1))
    good = sound(guards, averages, after)

    def drawn() -> dict[int, Array]:
        ratios = {
            k: jnp.where(paces[k] > 0, 2 / jnp.where(paces[k] > 0, paces[k], 1.0), 0.0) / a.spacing
            for k, a in enumerate(grid)
        }
        low = first_order()
        safe, wanted = (halves(averages, flux, ratios) for flux in (low, through))
        periodic = [a.periodic for a in grid]
        near = beside_any(~good, periodic)
        part = jnp.where(near[None], share(guards, safe, wanted), 1.0)
        return limited(through, low, part, periodic)

    found: dict[int, Array] = lax.cond(jnp.all(good), lambda: through, drawn)
    return found


def sound(guards: Guards, averages: Array, after: Array) -> Array:
    """The cells whose quantities are well on the side that they are on in the averages."""
    return _least(guards(list(averages)), guards(list(after))) >= KEPT


def halves(averages: Array, fluxes: Mapping[int, Array], ratios: Mapping[int, Array]) -> Array:
    """What averages U become by one face alone, U + ratio F of the lower and U - ratio F of the upper face
    across every axis, of shape (unknowns, 2 axes, cells): the average after a step is a mean of them, where
    `ratios` are twice the step by the spacing and the part that the axis has in the mean."""
    found = []
    for axis, flux in fluxes.items():
        found += [
            averages + ratios[axis] * lower(flux, axis + 1),
            averages - ratios[axis] * upper(flux, axis + 1),
        ]
    return jnp.stack(found, axis=1)


def beside_any(cells: Array, periodic: Sequence[bool]) -> Array:
    """The cells marked, and those that share a face with one."""
    found = cells
    for axis, closed in enumerate(periodic):
        below, above = beside(cells, axis, closed)
        n = cells.shape[axis]
        found = (
            found | lax.slice_in_dim(below, 0, n, axis=axis) | lax.slice_in_dim(above, 1, n + 1, axis=axis)
        )
    return found


def share(guards: Guards, safe: Array, wanted: Array) -> Array:
    """How far from safe halves, where quantities have the right sign, towards wanted ones: from 0 to 1.

    By a linear estimate, which meets every quantity that is concave between the two; 0 where it does not. To
    derivatives the result is a constant.
    """
    safe, wanted = lax.stop_gradient(safe), lax.stop_gradient(wanted)
    start = _quantities(guards, safe)
    whole = _least(start, _quantities(guards, wanted))
    fits = whole >= KEPT
    part = jnp.where(fits, 1.0, (1 - KEPT) / (1 - jnp.where(fits | ~jnp.isfinite(whole), 0.0, whole)))
    part = jnp.where(jnp.isfinite(whole), part, 0.0)
    there = _least(start, _quantities(guards, safe + part[None] * (wanted - safe)))
    return jnp.where(there >= KEPT * (1 - SLACK), part, 0.0)


def limited(
    high: Mapping[int, Array], low: Mapping[int, Array], part: Array, periodic: Sequence[bool]
) -> dict[int, Array]:
    """Fluxes between `low` and `high` by axis; `part` is the share of the difference that each half takes."""
    found = {}
    for n, axis in enumerate(high):
        # The upper half of the cell below a face, the lower half of the one above.
        below, _ = beside(part[2 * n + 1], axis, periodic[axis])
        _, above = beside(part[2 * n], axis, periodic[axis])
        found[axis] = low[axis] + jnp.minimum(below, above)[None] * (high[axis] - low[axis])
    return found


def _quantities(guards: Guards, states: Array) -> Sequence[Array]:
    """The quantities of halves (unknowns, halves, cells), each of shape (halves, cells)."""
    found: tuple[Array, ...] = jax.vmap(lambda y: tuple(guards(list(y))), in_axes=1)(states)
    return found


def _least(before: Sequence[Array], after: Sequence[Array]) -> Array:
    """The least ratio of quantities after and before; what was zero may become positive."""
    ratios = [
        jnp.where(a == 0, jnp.where(b >= 0, 1.0, -1.0), b / jnp.where(a == 0, 1.0, a))
        for a, b in zip(before, after, strict=True)
    ]
    least = ratios[0]
    for ratio in ratios[1:]:
        least = jnp.minimum(least, ratio)
    return least
