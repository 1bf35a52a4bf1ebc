"""Points as the caller gives them, as one array."""

from collections.abc import Mapping
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nablax.backends.residuals.field import FieldError
from nablax.derivatives.statements import START, wall_name
from nablax.problem import Axis, Problem, Side
from nablax.sampling import sample

LOWER: Side = 0
UPPER: Side = 1

Points: TypeAlias = Mapping[str, ArrayLike] | ArrayLike
"""Axis names to equally shaped arrays, or one array [..., axes] in declared order, time last."""


def all_axes(problem: Problem) -> tuple[Axis, ...]:
    return problem.axes if problem.time is None else (*problem.axes, problem.time)


def gather(problem: Problem, points: Points, what: str) -> Array:
    """The points as one array [..., axes]. Raises `FieldError` for wrong names or shapes.

    Concrete points must lie in the domain: what a residual says outside of it is of no interest.
    """
    axes = all_axes(problem)
    names = [a.name for a in axes]
    if isinstance(points, Mapping):
        if set(points) != set(names):
            given = ", ".join(str(k) for k in points) or "nothing"
            raise FieldError(f"the {what} points have coordinates {', '.join(names)}, and {given} are given")
        arrays = [_float(points[name]) for name in names]
        shapes = {a.shape for a in arrays}
        if len(shapes) > 1:
            shown = ", ".join(f"{n}: {list(a.shape)}" for n, a in zip(names, arrays, strict=True))
            raise FieldError(f"the coordinates of the {what} points have different shapes: {shown}")
        z = jnp.stack(arrays, axis=-1)
    else:
        z = _float(points)
        if z.ndim == 0 or z.shape[-1] != len(axes):
            raise FieldError(
                f"the {what} points have shape {list(z.shape)}, and the last axis holds the coordinates "
                f"{', '.join(names)}: [..., {len(axes)}]"
            )
    _check_inside(problem, z, what)
    return z


def _float(value: ArrayLike) -> Array:
    array = jnp.asarray(value)
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(jnp.result_type(float))


def bounds(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest value of every coordinate."""
    values = {p.symbol: np.asarray(float(p.value)) for p in problem.parameters}
    axes = all_axes(problem)
    low = np.array([float(sample(a.lower, values)) for a in axes])
    high = np.array([float(sample(a.upper, values)) for a in axes])
    return low, high


def _check_inside(problem: Problem, z: Array, what: str) -> None:
    if isinstance(z, jax.core.Tracer) or z.size == 0:
        return
    low, high = bounds(problem)
    slack = 1e-6 * (high - low)  # coordinates may be in single precision
    values = np.asarray(z).reshape(-1, len(low))
    for i, axis in enumerate(all_axes(problem)):
        if axis.periodic:
            continue
        wrong = ~((values[:, i] >= low[i] - slack[i]) & (values[:, i] <= high[i] + slack[i]))
        if wrong.any():
            example = values[int(np.argmax(wrong)), i]
            raise FieldError(
                f"{int(wrong.sum())} of the {what} points lie outside the domain: {axis.name} = {example:g} "
                f"is not in [{low[i]:g}, {high[i]:g}]"
            )


def check_wall(problem: Problem, z: Array, place: str) -> None:
    """Concrete points of a wall, or of the start of time, lie on it."""
    if isinstance(z, jax.core.Tracer) or z.size == 0:
        return
    end = fixed(problem, place)
    if end is None:
        return
    axis, value = end
    low, high = bounds(problem)
    distance = np.abs(np.asarray(z)[..., axis] - value)
    if distance.max() > 1e-6 * (high - low)[axis]:
        name = all_axes(problem)[axis].name
        raise FieldError(f"points of `{place}` have {name} = {value:g}, and some are {distance.max():g} away")


def fixed(problem: Problem, place: str) -> tuple[int, float] | None:
    """The coordinate that a place fixes, and its value."""
    low, high = bounds(problem)
    if place == START:
        return len(low) - 1, float(low[-1])
    for i, axis in enumerate(problem.axes):
        for side, value in ((LOWER, low[i]), (UPPER, high[i])):
            if place == f"boundary/{wall_name(axis, side)}":
                return i, float(value)
    return None
