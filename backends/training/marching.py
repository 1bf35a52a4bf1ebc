"""Fields of windows of time, each beginning with the state that the one before ends with, and of all of them.

A window's initial data are the network of the one before at the border, and through it those before it: what
is built in holds to rounding there, and costs one more network at the window's points for each window before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from sympy.core.function import AppliedUndef

from nablax.backends.networks.build import build_field
from nablax.backends.residuals.field import Call, Field, Known, PyTree, outputs
from nablax.backends.residuals.hard import PointFunction, with_ansatz
from nablax.backends.residuals.layout import columns, layout
from nablax.backends.residuals.networks import networks
from nablax.models import Model
from nablax.training.windows import State, Window, spanning


def field_of(course: Sequence[Window], model: Model, before: Sequence[PyTree]) -> Field:
    """The field of the window that comes after those whose parameters are given."""
    known: Known | None = None
    for number, params in enumerate(before):
        field = replace(_alone(course, number, model), known=known)
        known = _handed_on(field, params, course[number + 1].begins)
    return replace(_alone(course, len(before), model), known=known)


def whole_field(course: Sequence[Window], model: Model, params: tuple[PyTree, ...]) -> Field:
    """The field of as many windows as there are parameters, piece by piece in time.

    Every piece is evaluated at every point: one network for each window, and one for each border. At a border
    the later piece speaks, after the last one it goes on.
    """
    pieces = [_alone(course, number, model) for number in range(len(params))]
    slots = [layout(piece.problem)[-1] for piece in pieces]
    column = slots[0].start

    def call(values: PyTree, z: Array) -> Array:
        assert isinstance(values, Sequence)
        found, known = jnp.zeros(()), None
        for k, (piece, own) in enumerate(zip(pieces, values, strict=True)):
            field = replace(piece, known=known)
            here = _function(field, own)(z)
            found = here if k == 0 else jnp.where(z[column] < slots[k].low, found, here)
            if k + 1 < len(pieces):
                known = _at(_handed_on(field, own, course[k + 1].begins), z)
        return found

    return Field(spanning(course[: len(params)]), call, params, {})


def _alone(course: Sequence[Window], number: int, model: Model) -> Field:
    """A window's field, but for the state that it begins with: the network of the first window, in its time,
    so that parameters of all windows are of one kind."""
    window = course[number]
    first = build_field(course[0].system.problem, model, jax.random.key(0))
    field = (
        first if number == 0 else replace(first, problem=window.system.problem, call=_later(first, window))
    )
    return field if window.ansatz is None else with_ansatz(field, window.ansatz)


def _later(first: Field, window: Window) -> Call:
    here, there = (layout(problem)[-1] for problem in (window.system.problem, first.problem))
    time = _column(here.start, columns(first.problem))
    return lambda params, z: first.call(params, jnp.where(time, z + (there.low - here.low), z))


def _column(at: int, count: int) -> np.ndarray:
    """Which of the coordinates: a mask compiles and runs faster than a scatter."""
    mask: np.ndarray = np.arange(count) == at
    return mask


def _function(field: Field, params: PyTree) -> PointFunction:
    """One point to the outputs; windows have no unknowns besides."""
    return networks(field, params, {})[0].call


def _handed_on(field: Field, params: PyTree, begins: State) -> Known:
    """What the next window begins with, at the end of this one."""
    slot = layout(field.problem)[-1]
    most = max((order for _, order in begins.values()), default=0)

    def at(z: Array) -> tuple[Array, ...]:
        time = _column(slot.start, len(z))
        rates = _rates(_function(field, params), jnp.where(time, slot.high, z), time, most)
        found = [_by_unknown(field, values) for values in rates]
        return tuple(found[order][unknown] for unknown, order in begins.values())

    return Known(tuple(begins), at)


def _at(known: Known, z: Array) -> Known:
    """The same values whatever the time: evaluated once."""
    values = known.at(z)
    return Known(known.symbols, lambda _: values)


def _by_unknown(field: Field, values: Array) -> Mapping[AppliedUndef, Array]:
    return {c.value: v for c, v in outputs(field.problem.components, values).items()}


def _rates(f: PointFunction, z: Array, column: np.ndarray, most: int) -> list[Array]:
    """f and its derivatives along one coordinate up to an order, in one pass for each of them."""

    def all_of(order: int, y: Array) -> list[Array]:
        if order == 0:
            return [f(y)]
        direction = jnp.asarray(column, y.dtype)
        values, slopes = jax.jvp(lambda p: all_of(order - 1, p), (y,), (direction,))
        return [*values, slopes[-1]]

    return all_of(most, z)
