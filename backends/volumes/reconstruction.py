"""Values at the faces of cells from averages over the cells, along one axis.

Order 2: MUSCL with the monotonised central limiter (van Leer, J. Comput. Phys. 23 (1977) 276); traces
lie between neighbouring averages. Order 5: WENO-Z (Borges, Carmona, Costa, Don, J. Comput. Phys. 227
(2008) 3191) with power 2.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from nablax.backends.smooth_rows import smoothness


def traces(cells: Array, axis: int, ghosts: int, order: int) -> tuple[Array, Array]:
    """States left and right of every face, the two outermost included: n + 1 faces for n cells.

    `cells` has `ghosts` cells beyond either end of the axis, at least 2 for order 2 and 3 for order 5. It
    may hold several unknowns along further axes.
    """
    n = cells.shape[axis] - 2 * ghosts

    def at(offset: int) -> Array:
        """The cells -1 .. n, shifted."""
        start = ghosts - 1 + offset
        return lax.slice_in_dim(cells, start, start + n + 2, axis=axis)

    if order == 2:
        upper, lower = _muscl(at(-1), at(0), at(1))
    else:
        # Both sides of a cell at once: half the program to compile.
        upper, lower = _weno(*(jnp.stack([at(k), at(-k)]) for k in (-2, -1, 0, 1, 2)))
    left = lax.slice_in_dim(upper, 0, n + 1, axis=axis)
    right = lax.slice_in_dim(lower, 1, n + 2, axis=axis)
    return left, right


def at_faces(cells: Sequence[Array], order: int) -> tuple[Array, Array]:
    """The values left and right of a face from the cells around it: two on either side for order 2, three
    for order 5."""
    if order == 2:
        a, b, c, d = cells
        return _muscl(a, b, c)[0], _muscl(b, c, d)[1]
    ahead, back = cells[:5], cells[:0:-1]
    both = _weno(*(jnp.stack(pair) for pair in zip(ahead, back, strict=True)))
    return both[0], both[1]


def neighbours(cells: Array, axis: int, ghosts: int) -> tuple[Array, Array]:
    """The averages left and right of every face."""
    n = cells.shape[axis] - 2 * ghosts
    left = lax.slice_in_dim(cells, ghosts - 1, ghosts + n, axis=axis)
    right = lax.slice_in_dim(cells, ghosts, ghosts + n + 1, axis=axis)
    return left, right


def _muscl(a: Array, b: Array, c: Array) -> tuple[Array, Array]:
    """Upper and lower face value of the cells b."""
    back, ahead = b - a, c - b
    half = minmod(minmod(back, ahead), (back + ahead) / 4)
    return b + half, b - half


def minmod(a: Array, b: Array) -> Array:
    """The smaller of two slopes of one sign, else zero."""
    return jnp.where(a * b > 0, jnp.where(jnp.abs(a) < jnp.abs(b), a, b), jnp.zeros_like(a))


def _weno(a: Array, b: Array, c: Array, d: Array, e: Array) -> Array:
    """The value at the face between c and d."""
    first = (2 * a - 7 * b + 11 * c) / 6
    second = (-b + 5 * c + 2 * d) / 6
    third = (2 * c + 5 * d - e) / 6
    rough = 13 / 12 * (a - 2 * b + c) ** 2 + (a - 4 * b + 3 * c) ** 2 / 4
    middle = 13 / 12 * (b - 2 * c + d) ** 2 + (b - d) ** 2 / 4
    ahead = 13 / 12 * (c - 2 * d + e) ** 2 + (3 * c - 4 * d + e) ** 2 / 4
    small = 1e-40 if c.dtype == jnp.float64 else 1e-16
    difference = jnp.abs(rough - ahead)
    w1 = 0.1 * (1 + (difference / (rough + small)) ** 2)
    w2 = 0.6 * (1 + (difference / (middle + small)) ** 2)
    w3 = 0.3 * (1 + (difference / (ahead + small)) ** 2)
    return (w1 * first + w2 * second + w3 * third) / (w1 + w2 + w3)


def to_points(averages: Array, axis: int) -> Array:
    """Values at the middle of intervals along an axis from averages over them; loses two at either end.

    Buchmüller and Helzel, J. Sci. Comput. 61 (2014) 343: so that fluxes are evaluated at points, which
    averages of several unknowns do not allow beyond second order.
    """
    middle, second, fourth, smooth = _differences(averages, axis)
    return middle - smooth * (second / 24 - fourth * (3 / 640))


def to_averages(points: Array, axis: int) -> Array:
    """Averages over intervals from values at their middle, the inverse of `to_points`."""
    middle, second, fourth, smooth = _differences(points, axis)
    return middle + smooth * (second / 24 - fourth * (17 / 5760))


def _differences(values: Array, axis: int) -> tuple[Array, Array, Array, Array]:
    """The values, their second and fourth differences, and a factor that is 1 where they are smooth and
    0 beside a jump."""
    n = values.shape[axis] - 4
    row = [lax.slice_in_dim(values, k, k + n, axis=axis) for k in range(5)]
    a, b, c, d, e = row
    return c, b - 2 * c + d, a - 4 * b + 6 * c - 4 * d + e, smoothness(row)
