"""Values of SymPy expressions at a few points, with NumPy: for bounds and warnings at compile time."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import sympy as sp

from nablax.fractional_calculus.special import MittagLeffler
from nablax.grid_functions import GridFunction
from nablax.pointwise import POINTWISE, Samples
from nablax.reductions import Noise
from nablax.surrogates import Surrogate
from nablax.tables import Tabulated, interpolate

OWN: Mapping[str, type[sp.Basic]] = {"MittagLeffler": MittagLeffler, "Surrogate": Surrogate}
"""Classes that are not SymPy's."""

FUNCTIONS: Mapping[type[sp.Basic], Callable[..., Samples]] = {
    OWN.get(name) or getattr(sp, name): function for name, function in POINTWISE.items()
} | {sp.DiracDelta: lambda x, *_: np.where(x == 0, np.nan, 0.0)}  # kinks differentiated twice, beside them


def sample(expression: sp.Basic, values: Mapping[sp.Basic, Samples]) -> Samples:
    """The expression with its atoms replaced; nan where it has no value or a function is unknown."""
    return sample_all([expression], values)[0]


def sample_all(expressions: Iterable[sp.Basic], values: Mapping[sp.Basic, Samples]) -> list[Samples]:
    """The same of several expressions; what they share is computed once."""
    known = dict(values)
    with np.errstate(all="ignore"):
        return [np.asarray(_sample(e, known)) for e in expressions]


def _number(node: sp.Basic) -> Samples:
    try:
        value = complex(node.evalf(17))
    except TypeError:  # the density of a step, at the step
        return np.asarray(np.nan)
    return np.asarray(value.real if value.imag == 0 else value)


def _sample(node: sp.Basic, known: dict[sp.Basic, Samples]) -> Samples:
    if node in known:
        return known[node]
    if node is sp.true or node is sp.false:
        result = np.asarray(bool(node))
    elif node.is_number and not node.has(sp.Piecewise, Noise):
        result = _number(node)
    elif isinstance(node, sp.Piecewise):
        result = np.asarray(np.nan)
        for value_node, condition in reversed(node.args):
            result = np.where(_sample(condition, known), _sample(value_node, known), result)
    elif isinstance(node, Noise):
        result = np.asarray(1.0)  # its bound
    elif isinstance(node, GridFunction):
        result = _sample(node.nominal, known)
    elif isinstance(node, Tabulated):
        result = np.asarray(interpolate(node.table, [_sample(a, known) for a in node.args[1:]], np))
    elif node.func in FUNCTIONS:
        result = FUNCTIONS[node.func](*(_sample(a, known) for a in node.args))
    else:
        result = np.asarray(np.nan)
    known[node] = result
    return result
