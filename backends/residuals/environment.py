"""Values of what expressions are written in: coordinates and parameters."""

from collections.abc import Mapping

import jax.numpy as jnp
import sympy as sp
from jax import Array
from jax.typing import DTypeLike

from nablax.backends.lowering import Operand, evaluate
from nablax.backends.residuals.layout import layout
from nablax.problem import Problem

Environment = dict[sp.Basic, Operand]


def coordinates(problem: Problem, z: Array) -> Environment:
    """Values [...] of the coordinates at points z [..., axes]; a family has none of its own."""
    return {s.axis.symbol: z[..., s.start] for s in layout(problem) if s.axis.size is None}


def parameters(
    problem: Problem, unknown: Mapping[str, object], dtype: DTypeLike | None = None
) -> Environment:
    """Values of all parameters: unknown ones as given, those defined from them by their formula.

    Fixed ones have the type `dtype`, that of points: functions of Python numbers alone, such as Γ(1 - α),
    would have the host's widest. Without it they are Python numbers.
    """
    values: Environment = {}
    for parameter in problem.parameters:
        if parameter.name in unknown:
            values[parameter.symbol] = jnp.asarray(unknown[parameter.name])
        elif parameter.formula is not None:
            (values[parameter.symbol],) = evaluate((parameter.formula,), values)
        else:
            fixed = float(parameter.value)
            values[parameter.symbol] = fixed if dtype is None else jnp.asarray(fixed, dtype)
    return values
