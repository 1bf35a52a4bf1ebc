"""The networks behind the unknowns: one for the fields, one for each unknown field."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from jax import Array
from sympy.core.function import AppliedUndef

from nablax.backends.residuals.field import Field, PyTree, outputs
from nablax.backends.residuals.hard import constrained
from nablax.backends.residuals.layout import Slot, layout
from nablax.problem import Coefficient


@dataclass(frozen=True, slots=True)
class Part:
    """One network at given parameters: `call` maps its own arguments, `columns` of a point, to outputs [m].

    `values` picks the value of each of its `unknowns` from outputs [..., m]. `starts` has the column, among
    its own, at which each argument of the unknowns begins.
    """

    unknowns: frozenset[AppliedUndef]
    columns: tuple[int, ...]
    starts: tuple[int, ...]
    call: Callable[[Array], Array]
    values: Callable[[Array], dict[AppliedUndef, Array]]


def networks(field: Field, net: PyTree, unknown: Mapping[str, PyTree]) -> tuple[Part, ...]:
    """The network of the fields, then those of the unknown fields."""
    problem = field.problem
    slots = {s.axis.symbol: s for s in layout(problem)}

    def components(values: Array) -> dict[AppliedUndef, Array]:
        return {c.value: v for c, v in outputs(problem.components, values).items()}

    def plain(point: Array) -> Array:
        return field.call(net, point)

    ansatz = field.ansatz
    whole = plain if ansatz is None else constrained(problem, ansatz, field.call, net, unknown, field.known)

    found = [
        Part(
            frozenset(c.value for c in problem.components),
            *_arguments(problem.symbols, slots),
            whole,
            components,
        )
    ]
    for coefficient in problem.coefficients:
        found.append(_coefficient(coefficient, slots, field, unknown[coefficient.name]))
    return tuple(found)


def _arguments(
    symbols: Sequence[sp.Symbol], slots: Mapping[sp.Symbol, Slot]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The columns of these arguments in a point, and where each begins among them."""
    columns: list[int] = []
    starts: list[int] = []
    for symbol in symbols:
        starts.append(len(columns))
        columns += range(slots[symbol].start, slots[symbol].start + slots[symbol].size)
    return tuple(columns), tuple(starts)


def _coefficient(
    coefficient: Coefficient, slots: Mapping[sp.Symbol, Slot], field: Field, params: PyTree
) -> Part:
    """An unknown field: its network's number, shifted to the start value and squeezed into the interval."""
    raw = field.coefficients[coefficient.name]
    start = float(coefficient.start)

    def call(point: Array) -> Array:
        value = jnp.reshape(raw(params, point), (1,))
        if coefficient.interval is None:
            return start + value
        low, high = (float(end) for end in coefficient.interval)
        share = (start - low) / (high - low)
        return low + (high - low) * jax.nn.sigmoid(value + float(np.log(share / (1 - share))))

    return Part(
        frozenset((coefficient.value,)),
        *_arguments(coefficient.value.args, slots),
        call,
        lambda values: {coefficient.value: values[..., 0]},
    )
