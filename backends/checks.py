"""Checks of what callers hand to a solver or an artifact. They raise ValueError, and TypeError for what is
no number at all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import SupportsComplex, SupportsFloat

import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.formulas import Place, evaluate_formula
from nablax.backends.interface import State
from nablax.backends.precision import traced
from nablax.outline import Outline

Number = float | Array | np.ndarray | np.floating
Numbers = Mapping[str, Number]
NO_RATE = (
    "derivatives in time that remember the past make no right-hand side of the present state: "
    "use `step` or `solve`"
)


def check_names(given: Iterable[str], known: Iterable[str]) -> None:
    """Every given parameter is one of the known."""
    there = list(known)
    unknown = sorted(set(given) - set(there))
    if unknown:
        names = ", ".join(f"`{name}`" for name in there) or "none"
        raise ValueError(f"no parameter is named `{unknown[0]}`; there are: {names}")


def check_scalar(name: str, value: Number) -> None:
    """A parameter is one real number. Raises TypeError for a text and the like, ValueError for the rest."""
    if np.ndim(value) != 0:
        raise ValueError(
            f"`{name}` is one number, and has the shape {np.shape(value)}: jax.vmap takes several"
        )
    if not isinstance(value, SupportsFloat | SupportsComplex):
        raise TypeError(f"`{name}` is one number, and {value!r} was given")
    if jnp.iscomplexobj(value):
        raise ValueError(f"`{name}` is a real number, and a complex one was given")


def check_orders(outline: Outline, values: Numbers) -> None:
    """Orders of derivatives in time stay between the whole numbers that the solver was compiled for.

    Values that a JAX transformation traces are not known here, and pass.
    """
    if not outline.orders or traced(*values.values()):
        return
    known = {name: np.asarray(value, float) for name, value in values.items() if np.ndim(value) == 0}
    for order in outline.orders:
        value = float(evaluate_formula(order.formula, known, Place(outline.grid, outline.accuracy)))
        near = abs(value - order.low) <= 1e-6
        if near if order.low == order.high else order.low < value < order.high:
            continue
        names = " and ".join(sorted({f"`{s.name}`" for s in order.formula if s.operation == "name"}))
        wanted = f"({order.low}, {order.high})" if order.low < order.high else f"{order.low}"
        raise ValueError(
            f"the order of a derivative in time is {value:.6g} by {names}, and it was compiled for {wanted}"
        )


def check_values(name: str, shape: tuple[int, ...], axes: Sequence[str], values: Number) -> None:
    """A coefficient on the grid is an array of real numbers, one a node of the axes that it depends on."""
    if np.shape(values) != shape:
        raise ValueError(
            f"`{name}` has the shape {np.shape(values)}, and its nodes along {', '.join(axes)} are {shape}: "
            "jax.vmap takes several"
        )
    held = _type_of(values)
    if held.kind not in "iuf":
        raise ValueError(f"`{name}` holds {held}, and a coefficient is real")


def _type_of(values: Number) -> np.dtype:
    """The type of the numbers in an array, or in lists of them."""
    return np.dtype(values.dtype if isinstance(values, Array) else np.asarray(values).dtype)


def check_fields(outline: Outline, fields: Mapping[str, Array]) -> None:
    """Initial data by name of evolving unknown: of the grid's shape, complex only for complex fields."""
    check_nodal(outline.shape, {u.name: u.complex for u in outline.evolving}, fields)


def check_nodal(shape: tuple[int, ...], unknowns: Mapping[str, bool], fields: Mapping[str, Array]) -> None:
    """The same for `unknowns` by name, with whether they are complex, on a grid of that shape."""
    for name, values in fields.items():
        if name not in unknowns:
            known = ", ".join(f"`{n}`" for n in unknowns)
            raise ValueError(f"no initial data is wanted for `{name}`; it is for {known}")
        if np.shape(values) != shape:
            raise ValueError(f"`{name}` has the shape {np.shape(values)}, and the grid {shape}")
        held = _type_of(values)
        if held.kind not in "iufc":
            raise ValueError(f"`{name}` holds {held}, and initial data are numbers")
        if held.kind == "c" and not unknowns[name]:
            raise ValueError(f"`{name}` is a real field, and complex values were given: take their real part")


def check_state(outline: Outline, state: State) -> None:
    """A state of this solver has one array an evolving unknown, and what is remembered of them."""
    if len(state.y) != len(outline.evolving) + outline.remembered:
        names = ", ".join(f"`{u.name}`" for u in outline.evolving)
        raise ValueError(f"the state has {len(state.y)} arrays, and the unknowns are {names}")


def times_of(outline: Outline, save_at: Sequence[float] | None) -> tuple[float, ...]:
    """The output times asked for, finite; the plan's frames by default."""
    times = tuple(float(t) for t in (outline.frames if save_at is None else save_at))
    if not times or not all(np.isfinite(times)):
        raise ValueError("`save_at` holds at least one time, all of them finite")
    return times


def check_order(start: float, times: Sequence[float]) -> None:
    """Times do not decrease, nor begin before the start."""
    if any(b < a for a, b in zip((start, *times), times, strict=False)):
        raise ValueError(f"`save_at` must not decrease, nor begin before the state's time {start:g}")
