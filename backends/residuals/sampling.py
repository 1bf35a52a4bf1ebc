"""Points to evaluate residuals at: inside, at the start, on the walls, and measurements."""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from jax.scipy.special import gammainc, ndtri
from scipy.stats import qmc

from nablax.backends.residuals.field import FieldError
from nablax.backends.residuals.keys import checked_key
from nablax.backends.residuals.layout import Slot, layout
from nablax.backends.residuals.points import SIDES, fixed
from nablax.backends.residuals.regions import edge_of, facets_of, inside, on_curve
from nablax.derivatives.statements import INSIDE
from nablax.geometry import Geometry
from nablax.nonlocal_operators import BALL, IntegralLaplacian
from nablax.problem import Axis, Problem
from nablax.region import share
from nablax.training.tables import read_table

MOST_DRAWN = 10**4  # points for one that is wanted
LEAST = 2.0**-24  # share of the volume of a ball that is left out around its centre
MOST = 2**31  # arrays are indexed by 32 bits
Cube = Callable[[Array, int, int], Array]
"""(key, count, dimension) to points [count, dimension] of the unit cube."""


def sample(
    problem: Problem, places: Sequence[str], key: Array, counts: Mapping[str, int], method: str
) -> dict[str, dict[str, Array]]:
    """A batch: coordinates by axis name, for every place that `counts` asks for.

    `counts` has numbers for `equation`, `initial`, `boundary` (on every wall and curve), one of these
    (`boundary/x=0`, which wins), `data` or `data/name` (rows drawn without replacement). Tables that are not
    mentioned come whole. `method` is `uniform`, `lhs`, `sobol` or `grid`; the last two draw on the host, and
    in regions all do. Raises `FieldError` for a place or a method that is not there, for what is no key, and
    for a count that is no whole number.
    """
    key = checked_key(key)
    if not isinstance(counts, Mapping):
        raise FieldError(f'the numbers of points come by place, {{"equation": 1024}}, and this is `{counts}`')
    if method not in METHODS:
        raise FieldError(f"`{method}` is no method of sampling: {', '.join(METHODS)}")
    for name, number in counts.items():
        if not any(name in (place, place.split("/")[0]) for place in places):
            raise FieldError(f"`{name}` is no place of this problem: {', '.join(places)}")
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < MOST:
            raise FieldError(
                f"the number of points of `{name}` is whole, from 0 to 2^31 - 1, and this is `{number}`"
            )
    batch: dict[str, dict[str, Array]] = {}
    for i, place in enumerate(places):
        family = place.split("/")[0]
        count = counts.get(place, counts.get(family))
        own = jax.random.fold_in(key, i)
        if family == "data":
            batch[place] = _rows(read_table(problem, place.split("/", 1)[1]), own, count)
        elif count is not None:
            batch[place] = _place(problem, place, own, count, METHODS[method])
    return batch


def _place(problem: Problem, place: str, key: Array, count: int, draw: Cube) -> dict[str, Array]:
    """Points of one place: of a curve, of the region's part of the box or a wall, or of the whole."""
    if not problem.cuts:
        return _in_box(problem, place, key, count, draw)
    if isinstance(key, jax.core.Tracer):
        raise FieldError("points of a region cut out by `inside` are drawn on the host: not under `jit`")
    edge = edge_of(problem, place)
    if edge is not None:
        return _on_edge(problem, edge, key, count, draw)
    end = fixed(problem, place)
    wall = None
    if end is not None and end[0].axis in problem.axes:
        wall = (problem.axes.index(end[0].axis), SIDES[end[1] != end[0].low])
    part = share(problem, wall)

    def drawn(key: Array, count: int) -> tuple[dict[str, Array], np.ndarray]:
        found = _in_box(problem, place, key, count, draw)
        points = np.stack([np.asarray(found[a.name], np.float64) for a in problem.axes], axis=-1)
        return found, inside(problem, points)

    return _kept(drawn, key, count, part, draw)


def _kept(
    drawn: Callable[[Array, int], tuple[dict[str, Array], np.ndarray]],
    key: Array,
    count: int,
    part: float,
    draw: Cube,
) -> dict[str, Array]:
    """The first `count` of drawn points that are wanted, about `part` of them; of a grid as many as fit."""
    whole = count / part
    number = max(int(whole), 1)
    if part < 1 and draw is not _grid:
        number = int(1.02 * whole + 4 * whole**0.5) + 8
    while True:
        found, mask = drawn(key, number)
        places = np.flatnonzero(mask)[:count]
        if len(places) == count or draw is _grid:
            return {name: column[places] for name, column in found.items()}
        if number > MOST_DRAWN * (count + 1):
            raise FieldError("the region, or its curve, is too thin to draw points of it")
        number *= 2


def _on_edge(problem: Problem, edge: int, key: Array, count: int, draw: Cube) -> dict[str, Array]:
    """Points spread evenly over the part of a curve that bounds the region."""
    facets = facets_of(problem, edge)
    part = float(np.mean(inside(problem, facets.corners.mean(axis=1), but=edge)))
    across = len(problem.axes) - 1

    def drawn(key: Array, count: int) -> tuple[dict[str, Array], np.ndarray]:
        cube = draw(key, count, across + (problem.time is not None))
        points, there = on_curve(problem, facets, edge, np.asarray(cube, np.float64)[:, :across])
        found = {a.name: jnp.asarray(points[:, k], cube.dtype) for k, a in enumerate(problem.axes)}
        if problem.time is not None:
            slot = layout(problem)[-1]
            found[problem.time.name] = slot.low + (slot.high - slot.low) * cube[:, across]
        return found, there & inside(problem, points, but=edge)

    return _kept(drawn, key, count, part, draw)


def _in_box(problem: Problem, place: str, key: Array, count: int, draw: Cube) -> dict[str, Array]:
    """Points of a place of the whole box, from as many columns of a cube as it leaves free.

    On the walls of a family each point lies on the wall of one member, drawn at random.
    """
    slots, end = layout(problem), fixed(problem, place)
    wall = None if end is None else end[0].axis
    free = [s for s in slots if s.axis != wall or s.size > 1]
    place_key, member_key = jax.random.split(key)
    dimension = sum(s.size for s in free)
    cube = draw(place_key, count, dimension) if dimension else jnp.zeros((1, 0))
    if place == INSIDE and _in_a_ball(problem):
        across = sum(a.size or 1 for a in problem.axes)
        cube = cube.at[:, :across].set(_rounded(cube[:, :across], slots))
    found: dict[str, Array] = {}
    taken = 0
    for slot in slots:
        if slot in free:
            part = _even(
                problem, slot, None if end is None else end[0].axis, cube[:, taken : taken + slot.size]
            )
            taken += slot.size
        else:
            part = jnp.zeros((cube.shape[0], 1))
        if end is not None and slot.axis == wall:
            chosen = jax.random.randint(member_key, (cube.shape[0], 1), 0, slot.size)
            part = jnp.where(jnp.arange(slot.size)[None] == chosen, end[1], part)
        found[slot.axis.name] = part if slot.axis.size is not None else part[:, 0]
    return found


def _even(problem: Problem, slot: Slot, wall: Axis | None, shares: Array) -> Array:
    """Coordinates of an axis from shares in [0, 1]: equal shares have equal volumes, or areas on a wall.

    In curvilinear coordinates the volume goes with powers of the radius and with the sine of the polar angle.
    A radius from the centre on keeps off it, where coefficients are infinite.
    """
    low, high = slot.low, slot.high
    plain = low + (high - low) * shares
    if problem.coordinates == "cartesian" or slot.axis not in problem.axes:
        return plain
    symbols = tuple(a.symbol for a in problem.axes)
    geometry = Geometry(problem.coordinates, symbols)
    measure = geometry.volume
    if wall is not None and wall in problem.axes:
        measure = sp.cancel(measure / geometry.scales[problem.axes.index(wall)])
    if slot.axis == problem.axes[0]:
        power = int(sp.degree(measure, symbols[0])) + 1
        shares = jnp.maximum(shares, LEAST) if low == 0 else shares
        return jnp.asarray((low**power + (high**power - low**power) * shares) ** (1 / power))
    if measure.has(sp.sin(slot.axis.symbol)):
        ends = float(np.cos(low)), float(np.cos(high))
        return jnp.arccos(ends[0] + (ends[1] - ends[0]) * shares)
    return plain


def _in_a_ball(problem: Problem) -> bool:
    """Whether an equation speaks of the largest ball in the box only."""
    found = {n for e in problem.equations for s in e.summands for n in s.value.atoms(IntegralLaplacian)}
    return any(n.args[2] == BALL for n in found)


def _rounded(cube: Array, slots: Sequence[Slot]) -> Array:
    """Points of the unit cube, moved so that equal volumes of it become equal volumes of the ball in the box,
    in shares of the box: a normal vector's direction, and its length by that length's own distribution."""
    edge = 1e-6
    normal = ndtri(jnp.clip(cube, edge, 1 - edge))
    square = jnp.sum(normal**2, axis=1, keepdims=True)
    dimension = cube.shape[1]
    radius = gammainc(jnp.full_like(square, dimension / 2), square / 2) ** (1 / dimension)
    unit = normal / jnp.sqrt(jnp.maximum(square, edge**2))
    widths = np.concatenate([np.full(s.size, s.high - s.low) for s in slots])[:dimension]
    half = jnp.asarray(widths.min() / widths / 2, cube.dtype)
    return 0.5 + half[None] * radius * unit


def _rows(table: Mapping[str, np.ndarray], key: Array, count: int | None) -> dict[str, Array]:
    columns = {name: jnp.asarray(column, jnp.result_type(float)) for name, column in table.items()}
    rows = len(table["value"])
    if count is None or count >= rows:
        return columns
    chosen = jax.random.choice(key, rows, (count,), replace=False)
    return {name: column[chosen] for name, column in columns.items()}


def _uniform(key: Array, count: int, dimension: int) -> Array:
    return jax.random.uniform(key, (count, dimension))


def _latin(key: Array, count: int, dimension: int) -> Array:
    """Latin hypercube: every axis has one point in each of `count` equal intervals."""
    order, place = jax.random.split(key)
    cells = jnp.stack([jax.random.permutation(k, count) for k in jax.random.split(order, dimension)], axis=-1)
    inside = jax.random.uniform(place, (count, dimension))
    return (cells.astype(inside.dtype) + inside) / count


def _sobol(key: Array, count: int, dimension: int) -> Array:
    """Scrambled Sobol points (Owen 1998), by SciPy."""
    seed = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())
    points = qmc.Sobol(dimension, rng=seed).random_base2(max(count - 1, 1).bit_length())
    return jnp.asarray(points[:count])


def _grid(key: Array, count: int, dimension: int) -> Array:
    """Cell centres of the finest grid of at most `count` points with equally many along every axis."""
    del key
    n = max(int(count ** (1 / dimension) + 1e-9), 1)
    line = (jnp.arange(n, dtype=jnp.result_type(float)) + 0.5) / n
    return jnp.stack(jnp.meshgrid(*[line] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)[:count]


METHODS: Mapping[str, Cube] = {"uniform": _uniform, "lhs": _latin, "sobol": _sobol, "grid": _grid}
