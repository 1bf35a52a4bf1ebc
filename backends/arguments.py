"""The parameters that a solver is called with, completed and checked."""

from collections.abc import Mapping
from typing import cast

import jax
import numpy as np
from jax import Array

from nablax.backends.checks import Number, Numbers, check_names, check_scalar, check_values
from nablax.backends.lowering import evaluate
from nablax.backends.precision import traced
from nablax.grid_functions import GridData
from nablax.outlining import static_parameters
from nablax.plan import Plan
from nablax.system import System


def default_parameters(system: System) -> dict[str, float]:
    """Values as the spec gives them."""
    return {p.name: float(p.value) for p in system.parameters}


def number(plan: Plan, value: float) -> Array:
    """A number in the plan's precision."""
    # A NumPy scalar: to JAX it is as good as an array, and it is made without a compiled program.
    return cast(Array, np.dtype(plan.dtype).type(value))


def complete(plan: Plan, defaults: Mapping[str, float], params: Numbers | None) -> dict[str, Array]:
    """Every parameter, plain numbers in the plan's precision; formulas follow what they are made of.

    Coefficients on the grid are there where they are given. Raises ValueError for an unknown name, for an
    array in place of a number and one of another shape than the grid's, and for another value of a static
    parameter.
    """
    arrays = {data.name: data for data in plan.arrays}
    check_names(params or {}, [*defaults, *arrays])
    given = dict(params or {})
    found: dict[str, Array] = {}
    for p in plan.system.parameters:
        if p.name in given:
            found[p.name] = _given(plan, defaults, p.name, given[p.name])
        elif p.formula is not None and given:
            values = {q.symbol: found[q.name] for q in plan.system.parameters if q.name in found}
            (value,) = evaluate((p.formula,), values)
            plain = not isinstance(value, jax.Array)
            found[p.name] = number(plan, float(cast(float, value))) if plain else cast(Array, value)
        else:
            found[p.name] = number(plan, defaults[p.name])
    return found | {
        name: _on_grid(plan, arrays[name], value) for name, value in given.items() if name in arrays
    }


def _on_grid(plan: Plan, data: GridData, value: Number) -> Array:
    """The values of a coefficient, one a node."""
    check_values(data.name, data.shape, [str(a) for a in data.arguments], value)
    return value if isinstance(value, jax.Array) else cast(Array, np.asarray(value, plan.dtype))


def _given(plan: Plan, defaults: Mapping[str, float], name: str, value: Number) -> Array:
    """A parameter from outside: one number, and for a static parameter the one compiled in."""
    check_scalar(name, value)
    static = name in static_parameters(plan.system)
    if static and (traced(value) or float(value) != defaults[name]):
        raise ValueError(
            f"`{name}` shapes the grid and is compiled in: use problem.compile(params={{{name!r}: ...}})"
        )
    return value if isinstance(value, jax.Array) else number(plan, float(value))
