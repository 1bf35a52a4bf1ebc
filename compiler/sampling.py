"""Values of SymPy expressions at a few points, with NumPy: for bounds and warnings at compile time."""

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp
from scipy import special

from nablax.reductions import Noise

Samples = np.ndarray

FUNCTIONS: Mapping[type[sp.Basic], Callable[..., Samples]] = {
    sp.sin: np.sin,
    sp.cos: np.cos,
    sp.tan: np.tan,
    sp.cot: lambda z: 1 / np.tan(z),
    sp.sec: lambda z: 1 / np.cos(z),
    sp.csc: lambda z: 1 / np.sin(z),
    sp.asin: np.arcsin,
    sp.acos: np.arccos,
    sp.atan: np.arctan,
    sp.atan2: np.arctan2,
    sp.sinh: np.sinh,
    sp.cosh: np.cosh,
    sp.tanh: np.tanh,
    sp.coth: lambda z: 1 / np.tanh(z),
    sp.sech: lambda z: 1 / np.cosh(z),
    sp.csch: lambda z: 1 / np.sinh(z),
    sp.asinh: np.arcsinh,
    sp.acosh: np.arccosh,
    sp.atanh: np.arctanh,
    sp.exp: np.exp,
    sp.log: np.log,
    sp.Abs: np.abs,
    sp.sign: np.sign,
    sp.conjugate: np.conj,
    sp.re: np.real,
    sp.im: np.imag,
    sp.arg: np.angle,
    sp.erf: special.erf,
    sp.erfc: special.erfc,
    sp.gamma: special.gamma,
    sp.loggamma: special.loggamma,
    sp.polygamma: lambda n, z: special.polygamma(n.astype(int), z),
    sp.besselj: special.jv,
    sp.bessely: special.yv,
    sp.besseli: special.iv,
    sp.besselk: special.kv,
    sp.floor: np.floor,
    sp.ceiling: np.ceil,
    sp.Heaviside: np.heaviside,
    sp.Add: lambda *a: sum(a[1:], a[0]),
    sp.Mul: lambda *a: np.prod(np.broadcast_arrays(*a), axis=0),
    sp.Pow: lambda a, b: _power(np.asarray(a), b),
    sp.Max: lambda *a: np.max(np.broadcast_arrays(*a), axis=0),
    sp.Min: lambda *a: np.min(np.broadcast_arrays(*a), axis=0),
    sp.StrictLessThan: np.less,
    sp.LessThan: np.less_equal,
    sp.StrictGreaterThan: np.greater,
    sp.GreaterThan: np.greater_equal,
    sp.Equality: np.equal,
    sp.Unequality: np.not_equal,
    sp.And: lambda *a: np.all(np.broadcast_arrays(*a), axis=0),
    sp.Or: lambda *a: np.any(np.broadcast_arrays(*a), axis=0),
    sp.Not: np.logical_not,
}


def _power(base: Samples, exponent: Samples) -> Samples:
    """Complex where a negative base has a root taken of it."""
    whole = np.all(np.asarray(exponent) == np.round(np.real(exponent)))
    if not whole and not np.iscomplexobj(base) and np.any(base < 0):
        base = base + 0j
    return np.asarray(base**exponent)


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
    elif isinstance(node, sp.Piecewise):
        result = np.asarray(np.nan)
        for value_node, condition in reversed(node.args):
            result = np.where(_sample(condition, known), _sample(value_node, known), result)
    elif isinstance(node, Noise):
        result = np.asarray(1.0)  # its bound
    elif node.func in FUNCTIONS:
        result = FUNCTIONS[node.func](*(_sample(a, known) for a in node.args))
    else:
        result = np.asarray(np.nan)
    known[node] = result
    return result
