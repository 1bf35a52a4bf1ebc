"""Points as the caller gives them, as one array."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nablax.backends.residuals.field import FieldError
from nablax.backends.residuals.layout import Slot, columns, layout
from nablax.backends.residuals.regions import edge_of, near, on_edge
from nablax.derivatives.evaluation import Evaluation
from nablax.derivatives.statements import START, wall_name
from nablax.nonlocal_operators import BALL
from nablax.problem import Problem, Side

SIDES: tuple[Side, Side] = (0, 1)
SLACK = 1e-5  # of the box: coordinates may be in single precision

Points: TypeAlias = Mapping[str, ArrayLike] | ArrayLike
"""Axis names to equally shaped arrays (with one more axis for the members of a family), or one array
[..., axes] in declared order, time last."""


def gather(problem: Problem, points: Points, what: str) -> Array:
    """The points as one array [..., axes]. Raises `FieldError` for wrong names or shapes.

    Concrete points must lie in the domain: what a residual says outside of it is of no interest.
    """
    slots = layout(problem)
    names = [s.axis.name for s in slots]
    if isinstance(points, Mapping):
        z = _join(slots, points, what)
    else:
        z = as_float(points)
        if z.ndim == 0 or z.shape[-1] != columns(problem):
            raise FieldError(
                f"the {what} points have shape {list(z.shape)}, and the last axis holds the coordinates "
                f"{', '.join(names)}: [..., {columns(problem)}]"
            )
    _check_inside(slots, z, what)
    _check_region(problem, z, what)
    return z


def _join(slots: Sequence[Slot], points: Mapping[str, ArrayLike], what: str) -> Array:
    names = [s.axis.name for s in slots]
    if set(points) != set(names):
        given = ", ".join(str(k) for k in points) or "nothing"
        raise FieldError(f"the {what} points have coordinates {', '.join(names)}, and {given} are given")
    arrays = [as_float(points[s.axis.name]) for s in slots]
    parts = [a if s.axis.size is not None else a[..., None] for s, a in zip(slots, arrays, strict=True)]
    fits = all(p.shape[-1:] == (s.size,) for s, p in zip(slots, parts, strict=True))
    if not fits or len({p.shape[:-1] for p in parts}) > 1:
        shown = ", ".join(f"{n}: {list(a.shape)}" for n, a in zip(names, arrays, strict=True))
        raise FieldError(f"the coordinates of the {what} points have different shapes: {shown}")
    return jnp.concatenate(parts, axis=-1)


def as_float(value: ArrayLike) -> Array:
    array = jnp.asarray(value)
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(jnp.result_type(float))


def _check_inside(slots: Sequence[Slot], z: Array, what: str) -> None:
    if isinstance(z, jax.core.Tracer) or z.size == 0:
        return
    values = np.asarray(z).reshape(-1, z.shape[-1])
    for slot in slots:
        if slot.axis.periodic:
            continue
        slack = 1e-6 * (slot.high - slot.low)  # coordinates may be in single precision
        own = values[:, slot.columns]
        wrong = ~((own >= slot.low - slack) & (own <= slot.high + slack))
        if wrong.any():
            example = own[wrong][0]
            raise FieldError(
                f"{int(wrong.any(axis=1).sum())} of the {what} points lie outside the domain: "
                f"{slot.axis.name} = {example:g} is not in [{slot.low:g}, {slot.high:g}]"
            )


def _check_region(problem: Problem, z: Array, what: str) -> None:
    """Concrete points lie in the region, or so near to it that rounding may have moved them."""
    if not problem.cuts or isinstance(z, jax.core.Tracer) or z.size == 0:
        return
    points = np.asarray(z, np.float64).reshape(-1, z.shape[-1])
    reach = SLACK * max(s.high - s.low for s in layout(problem)[: len(problem.axes)])
    for cut in problem.cuts:
        wrong = ~near(problem, points, [cut], reach)
        if wrong.any():
            worst = points[np.argmax(wrong)]
            names = ", ".join(f"{a.name} = {worst[k]:g}" for k, a in enumerate(problem.axes))
            text = " ".join(problem.source.slice(cut.span).split())
            raise FieldError(
                f"{int(wrong.sum())} of the {what} points lie outside the domain: {names} is not `{text}`"
            )


def check_balls(problem: Problem, evaluation: Evaluation, z: Array, what: str) -> None:
    """Concrete points lie in the balls outside of which fields of the statements are zero."""
    if isinstance(z, jax.core.Tracer) or z.size == 0:
        return
    values = np.asarray(z).reshape(-1, z.shape[-1])
    for axes in {r.axes for r in evaluation.needs.surroundings.rays if r.support == BALL}:
        slots = [s for s in layout(problem) if s.axis.symbol in axes]
        radius = min(s.high - s.low for s in slots) / 2
        parts = [values[:, s.columns] - (s.low + s.high) / 2 for s in slots]
        distance = np.linalg.norm(np.concatenate(parts, axis=1), axis=1)
        wrong = distance > radius * (1 + 2e-6)  # coordinates may be in single precision
        if wrong.any():
            raise FieldError(
                f"{int(wrong.sum())} of the {what} points lie outside the domain: "
                f"the distance from the centre of the ball = {distance[wrong][0]:g} is not in [0, {radius:g}]"
            )


def check_wall(problem: Problem, z: Array, place: str) -> None:
    """Concrete points of a wall, a curve or the start of time lie on it; with a family, in a member's."""
    end, edge = fixed(problem, place), edge_of(problem, place)
    if edge is not None and not isinstance(z, jax.core.Tracer) and z.size:
        _check_curve(problem, edge, z, place)
    if end is None or isinstance(z, jax.core.Tracer) or z.size == 0:
        return
    slot, value = end
    distance = np.abs(np.asarray(z)[..., slot.columns] - value).min(axis=-1)
    if distance.max() > 1e-6 * (slot.high - slot.low):
        name = slot.axis.name
        raise FieldError(f"points of `{place}` have {name} = {value:g}, and some are {distance.max():g} away")


def _check_curve(problem: Problem, edge: int, z: Array, place: str) -> None:
    points = np.asarray(z, np.float64).reshape(-1, z.shape[-1])
    reach = SLACK * max(s.high - s.low for s in layout(problem)[: len(problem.axes)])
    wrong = ~on_edge(problem, points, problem.cuts[edge], reach)
    if wrong.any():
        raise FieldError(
            f"points of `{place}` lie on the curve `{problem.cuts[edge].name}`, and {int(wrong.sum())} are "
            f"more than {reach:g} away from it"
        )


def fixed(problem: Problem, place: str) -> tuple[Slot, float] | None:
    """The axis that a place fixes, and its value there."""
    slots = layout(problem)
    if place == START:
        return slots[-1], slots[-1].low
    for slot in slots[: len(problem.axes)]:
        for side in SIDES:
            if place == f"boundary/{wall_name(slot.axis, side)}":
                return slot, (slot.low, slot.high)[side]
    return None
