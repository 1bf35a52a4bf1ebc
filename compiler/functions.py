"""The functions of the language: one entry each, from the name in the text to SymPy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy as sp

from nablax.fractional_calculus.special import MittagLeffler
from nablax.reductions import Noise
from nablax.surrogates import Surrogate


@dataclass(frozen=True, slots=True)
class Function:
    """`build` takes between `least` and `most` scalar arguments (`most` None: any number)."""

    name: str
    build: Callable[..., sp.Expr]
    least: int
    most: int | None
    summary: str
    names: tuple[str, ...] = ()  # arguments that may be given by name


def _logarithm(z: sp.Expr, base: sp.Expr | None = None) -> sp.Expr:
    return sp.log(z) if base is None else sp.log(z, base)


def _box(x: sp.Expr, a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return sp.Piecewise((1, sp.And(x >= a, x <= b)), (0, True))


def _step(x: sp.Expr) -> sp.Expr:
    return sp.Piecewise((1, x >= 0), (0, True))


def _mittag_leffler(alpha: sp.Expr, second: sp.Expr, third: sp.Expr | None = None) -> sp.Expr:
    return MittagLeffler(alpha, 1, second) if third is None else MittagLeffler(alpha, second, third)


_ENTRIES = (
    Function("sin", sp.sin, 1, 1, "sine"),
    Function("cos", sp.cos, 1, 1, "cosine"),
    Function("tan", sp.tan, 1, 1, "tangent"),
    Function("exp", sp.exp, 1, 1, "exponential"),
    Function("log", _logarithm, 1, 2, "natural logarithm, or to the base given second"),
    Function("sqrt", sp.sqrt, 1, 1, "square root"),
    Function("abs", sp.Abs, 1, 1, "modulus"),
    Function("sign", sp.sign, 1, 1, "sign"),
    Function("tanh", sp.tanh, 1, 1, "hyperbolic tangent"),
    Function("sinh", sp.sinh, 1, 1, "hyperbolic sine"),
    Function("cosh", sp.cosh, 1, 1, "hyperbolic cosine"),
    Function("sech", sp.sech, 1, 1, "hyperbolic secant"),
    Function("asin", sp.asin, 1, 1, "inverse sine"),
    Function("acos", sp.acos, 1, 1, "inverse cosine"),
    Function("atan", sp.atan, 1, 1, "inverse tangent"),
    Function("atan2", sp.atan2, 2, 2, "angle of the point (second, first)"),
    Function("asinh", sp.asinh, 1, 1, "inverse hyperbolic sine"),
    Function("acosh", sp.acosh, 1, 1, "inverse hyperbolic cosine"),
    Function("atanh", sp.atanh, 1, 1, "inverse hyperbolic tangent"),
    Function("erf", sp.erf, 1, 1, "error function"),
    Function("erfc", sp.erfc, 1, 1, "complementary error function"),
    Function("gamma", sp.gamma, 1, 1, "gamma function"),
    Function("besselj", sp.besselj, 2, 2, "Bessel function of the first kind: order, argument"),
    Function(
        "mittag_leffler", _mittag_leffler, 2, 3, "mittag_leffler(α[, β], z): Σ z^k/Γ(αk + β), 0 < α <= 2"
    ),
    Function("heaviside", sp.Heaviside, 1, 1, "0 below zero, 1 above"),
    Function("step", _step, 1, 1, "0 below zero, 1 from zero on"),
    Function("box", _box, 3, 3, "box(x, a, b): 1 for a <= x <= b, else 0"),
    Function("floor", sp.floor, 1, 1, "largest integer below"),
    Function("ceil", sp.ceiling, 1, 1, "smallest integer above"),
    Function("re", sp.re, 1, 1, "real part"),
    Function("im", sp.im, 1, 1, "imaginary part"),
    Function("conj", sp.conjugate, 1, 1, "complex conjugate"),
    Function("arg", sp.arg, 1, 1, "phase of a complex number"),
    Function("max", sp.Max, 2, None, "largest of its arguments; of one field: its maximum over the grid"),
    Function("min", sp.Min, 2, None, "smallest of its arguments; of one field: its minimum over the grid"),
    Function("surrogate", Surrogate, 2, 2, "value of the first, gradient of the second"),
    Function("noise", Noise, 1, 1, "uniform on [-1, 1], zero mean over the grid", ("seed",)),
)

FUNCTIONS: Mapping[str, Function] = {entry.name: entry for entry in _ENTRIES}

CONSTANTS: Mapping[str, sp.Expr] = {"pi": sp.pi, "e": sp.E, "i": sp.I, "inf": sp.oo}
