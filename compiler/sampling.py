"""Values of SymPy expressions at a few points, with NumPy: for bounds and warnings at compile time."""

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp
from scipy import special

from nablax.reductions import Noise

Samples = np.ndarray

_FUNCTIONS: Mapping[type[sp.Basic], Callable[..., Samples]] = {
    sp.Add: lambda *a: sum(a[1:], start=a[0]),
    sp.Mul: lambda *a: _product(a),
    sp.Pow: lambda b, e: np.power(b + 0j * (np.any(b < 0) if not np.iscomplexobj(b) else 0), e),
    sp.sin: np.sin, sp.cos: np.cos, sp.tan: np.tan, sp.exp: np.exp, sp.log: np.log,
    sp.asin: np.arcsin, sp.acos: np.arccos, sp.atan: np.arctan, sp.atan2: np.arctan2,
    sp.sinh: np.sinh, sp.cosh: np.cosh, sp.tanh: np.tanh, sp.sech: lambda z: 1 / np.cosh(z),
    sp.asinh: np.arcsinh, sp.acosh: np.arccosh, sp.atanh: np.arctanh,
    sp.Abs: np.abs, sp.sign: np.sign, sp.conjugate: np.conj, sp.re: np.real, sp.im: np.imag,
    sp.arg: np.angle, sp.erf: special.erf, sp.erfc: special.erfc, sp.gamma: special.gamma,
    sp.loggamma: special.gammaln, sp.digamma: special.digamma, sp.besselj: special.jv,
    sp.floor: np.floor, sp.ceiling: np.ceil,
    sp.Heaviside: lambda z, h=0.5: np.heaviside(z, h),
    sp.Max: lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)),
    sp.Min: lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)),
    sp.StrictLessThan: np.less, sp.LessThan: np.less_equal,
    sp.StrictGreaterThan: np.greater, sp.GreaterThan: np.greater_equal,
    sp.And: lambda *a: np.logical_and.reduce(np.broadcast_arrays(*a)),
    sp.Or: lambda *a: np.logical_or.reduce(np.broadcast_arrays(*a)),
    sp.Not: np.logical_not,
    Noise: lambda seed: np.asarray(1.0),  # its bound
}  # fmt: skip


def _product(factors: tuple[Samples, ...]) -> Samples:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def sample(expression: sp.Basic, values: Mapping[sp.Basic, Samples]) -> Samples:
    """The expression with its atoms replaced; nan where it has no value or a function is unknown."""
    with np.errstate(all="ignore"):
        return np.asarray(_sample(expression, dict(values)))


def _sample(node: sp.Basic, known: dict[sp.Basic, Samples]) -> Samples:
    if node in known:
        return known[node]
    if node is sp.true or node is sp.false:
        result = np.asarray(bool(node))
    elif node.is_number and not node.has(sp.Piecewise, Noise):
        value = complex(node.evalf(17))
        result = np.asarray(value.real if value.imag == 0 else value)
    elif isinstance(node, sp.Pow) and node.exp.is_Integer:
        result = _sample(node.base, known) ** float(node.exp)
    elif isinstance(node, sp.Piecewise):
        result = np.asarray(np.nan)
        for value_node, condition in reversed(node.args):
            result = np.where(_sample(condition, known), _sample(value_node, known), result)
    elif node.func in _FUNCTIONS:
        result = _FUNCTIONS[node.func](*(_sample(a, known) for a in node.args))
    else:
        result = np.asarray(np.nan)
    known[node] = result
    return result
