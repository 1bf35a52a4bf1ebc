"""Pointwise functions on NumPy arrays, by the name of their SymPy class; needs no SymPy."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import special

from nablax.fractional_calculus.contour import mittag_leffler

Samples = np.ndarray

POLE = 2.0**-3  # of the distance to a pole that rounding of the argument leaves


def _with_poles(function: Callable[[Samples], Samples]) -> Callable[[Samples], Samples]:
    """No number in double precision lies on a pole of tan, and half a turn is near one."""

    def found(z: Samples) -> Samples:
        value = function(z)
        rounding = np.finfo(float).eps * np.maximum(np.abs(z), 1)
        return np.where(np.abs(value) * rounding > POLE, np.inf, value)

    return found


POINTWISE: Mapping[str, Callable[..., Samples]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": _with_poles(np.tan),
    "cot": _with_poles(lambda z: 1 / np.tan(z)),
    "sec": _with_poles(lambda z: 1 / np.cos(z)),
    "csc": _with_poles(lambda z: 1 / np.sin(z)),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "coth": lambda z: 1 / np.tanh(z),
    "sech": lambda z: 1 / np.cosh(z),
    "csch": lambda z: 1 / np.sinh(z),
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "exp": np.exp,
    "log": np.log,
    "Abs": np.abs,
    "sign": np.sign,
    "conjugate": np.conj,
    "re": np.real,
    "im": np.imag,
    "arg": np.angle,
    "erf": special.erf,
    "erfc": special.erfc,
    "gamma": special.gamma,
    "loggamma": special.loggamma,
    "polygamma": lambda n, z: special.polygamma(n.astype(int), z),
    "besselj": special.jv,
    "bessely": special.yv,
    "besseli": special.iv,
    "besselk": special.kv,
    "MittagLeffler": lambda a, b, z, c=1.0: mittag_leffler(np, a, b, z, np.asarray(c)),
    "Surrogate": lambda value, slope: np.broadcast_arrays(value, slope)[0],
    "floor": np.floor,
    "ceiling": np.ceil,
    "Heaviside": np.heaviside,
    "Add": lambda *a: sum(a[1:], a[0]),
    "Mul": lambda *a: np.prod(np.broadcast_arrays(*a), axis=0),
    "Pow": lambda a, b: _power(np.asarray(a), b),
    "Max": lambda *a: np.max(np.broadcast_arrays(*a), axis=0),
    "Min": lambda *a: np.min(np.broadcast_arrays(*a), axis=0),
    "StrictLessThan": np.less,
    "LessThan": np.less_equal,
    "StrictGreaterThan": np.greater,
    "GreaterThan": np.greater_equal,
    "Equality": np.equal,
    "Unequality": np.not_equal,
    "And": lambda *a: np.all(np.broadcast_arrays(*a), axis=0),
    "Or": lambda *a: np.any(np.broadcast_arrays(*a), axis=0),
    "Not": np.logical_not,
}
"""Arguments are arrays that broadcast."""


def _power(base: Samples, exponent: Samples) -> Samples:
    """Complex where a negative base has a root taken of it."""
    whole = np.all(np.asarray(exponent) == np.round(np.real(exponent)))
    if not whole and not np.iscomplexobj(base) and np.any(base < 0):
        base = base + 0j
    return np.asarray(base**exponent)
