"""The elementary functions: Taylor coefficients f^(m)(x)/m! from the value, by the recurrence of each one's
equation.

A. Griewank, A. Walther, Evaluating Derivatives, 2008, chapter 13.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from nablax.backends.taylor.composition import Elementary, Tower
from nablax.backends.taylor.element import Element, head, square
from nablax.derivatives.algebra import Algebra

Array = jax.Array
Series = Sequence[Array]


def convolution(x: Series, y: Series, k: int) -> Array:
    """Coefficient k of the product of two series."""
    return sum((x[j] * y[k - j] for j in range(1, k + 1)), x[0] * y[k])


def self_convolution(x: Series, k: int) -> Array:
    """Coefficient k of the square of a series."""
    result = sum(
        (2 * (x[j] * x[k - j]) for j in range(1, (k + 1) // 2)), 2 * (x[0] * x[k]) if k else x[0] * x[0]
    )
    return result + x[k // 2] * x[k // 2] if k and k % 2 == 0 else result


def tanh(x: Array, y: Array, n: int) -> list[Array]:
    """y' = 1 - y²."""
    series = [y]
    for k in range(n):
        series.append((1 - y * y) if k == 0 else -self_convolution(series, k) / (k + 1))
    return series


def tan(x: Array, y: Array, n: int) -> list[Array]:
    """y' = 1 + y²."""
    series = [y]
    for k in range(n):
        series.append((1 + y * y) if k == 0 else self_convolution(series, k) / (k + 1))
    return series


def logistic(x: Array, y: Array, n: int) -> list[Array]:
    """y' = y - y²."""
    series = [y]
    for k in range(n):
        series.append(y * (1 - y) if k == 0 else (series[k] - self_convolution(series, k)) / (k + 1))
    return series


def exponential(rate: float) -> Tower:
    """y' = rate y."""

    def tower(x: Array, y: Array, n: int) -> list[Array]:
        return [y] + [y * (rate**m / math.factorial(m)) for m in range(1, n + 1)]

    return tower


def expm1(x: Array, y: Array, n: int) -> list[Array]:
    return [y] + [(y + 1) / math.factorial(m) for m in range(1, n + 1)]


def oscillation(derivative: Callable[[Array], Array], sign: int) -> Tower:
    """y'' = sign y, with its first derivative."""

    def tower(x: Array, y: Array, n: int) -> list[Array]:
        series = [y]
        slope = derivative(x) if n else y
        for m in range(1, n + 1):
            series.append((slope if m % 2 else y) * (sign ** (m // 2) / math.factorial(m)))
        return series

    return tower


def power(exponent: float, first: Callable[[Array, Array], Array]) -> Tower:
    """y = x^exponent: x y' = exponent y; `first` is y' from x and y, safe where x is zero."""

    def tower(x: Array, y: Array, n: int) -> list[Array]:
        series = [y]
        for m in range(1, n + 1):
            series.append(first(x, y) if m == 1 else series[-1] * ((exponent - m + 1) / m) / x)
        return series

    return tower


def logarithm(scale: float, shift: float) -> Tower:
    """y = scale log(x + shift)."""

    def tower(x: Array, y: Array, n: int) -> list[Array]:
        inverse = 1 / (x + shift) if shift else 1 / x
        series = [y]
        for m in range(1, n + 1):
            series.append(scale * inverse if m == 1 else series[-1] * inverse * (-(m - 1) / m))
        return series

    return tower


def integral(a: float, b: float, exponent: float, sign: int = 1) -> Tower:
    """y' = sign (a + b x²)^exponent."""

    def tower(x: Array, y: Array, n: int) -> list[Array]:
        # Near ±1 the form (1 - x)(1 + x) keeps the digits that 1 - x² loses.
        base = a * (1 - x) * (1 + x) if a == -b else a + b * x * x
        slopes = [sign * (1 / base if exponent == -1 else lax.rsqrt(base))]
        linear, quadratic = 2 * b * x, b
        for k in range(1, n):
            part = (exponent - (k - 1)) * linear * slopes[k - 1]
            if k > 1:
                part = part + (2 * exponent - (k - 2)) * quadratic * slopes[k - 2]
            slopes.append(part / (k * base))
        return [y] + [slopes[m - 1] / m for m in range(1, n + 1)]

    return tower


def gaussian_integral(sign: int) -> Tower:
    """y' = sign 2/√π exp(-x²)."""

    def tower(x: Array, y: Array, n: int) -> list[Array]:
        slopes = [sign * 2 / math.sqrt(math.pi) * jnp.exp(-x * x)]
        for k in range(1, n):
            before = x * slopes[k - 1] + slopes[k - 2] if k > 1 else x * slopes[0]
            slopes.append(before * (-2 / k))
        return [y] + [slopes[m - 1] / m for m in range(1, n + 1)]

    return tower


def erf_inv(x: Array, y: Array, n: int) -> list[Array]:
    """y' = √π/2 exp(y²), the exponential w obeying w' = 2 y y' w."""
    series, slopes = [y], [math.sqrt(math.pi) / 2 * jnp.exp(y * y)]
    for m in range(1, n + 1):
        series.append(slopes[m - 1] / m)
        halves = [(j + 1) * self_convolution(series, j + 1) for j in range(m)]
        slopes.append(convolution(halves, slopes, m - 1) / m)
    return series


def lgamma(x: Array, y: Array, n: int) -> list[Array]:
    return [y] + [_polygamma(m - 1, x) / math.factorial(m) for m in range(1, n + 1)]


def digamma(x: Array, y: Array, n: int) -> list[Array]:
    return [y] + [_polygamma(m, x) / math.factorial(m) for m in range(1, n + 1)]


def _polygamma(order: int, x: Array) -> Array:
    return lax.digamma(x) if order == 0 else lax.polygamma(jnp.full_like(x, order), x)


def tanh_slope(algebra: Algebra, y: Element) -> Element:
    squared = square(algebra, y, sign=-1)
    return (1 + head(squared), *squared[1:])


def tan_slope(algebra: Algebra, y: Element) -> Element:
    squared = square(algebra, y)
    return (1 + head(squared), *squared[1:])


def logistic_slope(algebra: Algebra, y: Element) -> Element:
    """y - y² = (1/2)² - (y - 1/2)² would lose digits at both ends; y(1 - y) does not."""
    squared = square(algebra, y)
    value = head(y)
    return (
        value * (1 - value),
        *(None if a is None or b is None else a - b for a, b in zip(y[1:], squared[1:], strict=True)),
    )


def exp_slope(algebra: Algebra, y: Element) -> Element:
    return y


ELEMENTARY: Mapping[str, Elementary] = {
    "tanh": Elementary(lax.tanh, tanh, tanh_slope),
    "logistic": Elementary(lax.logistic, logistic, logistic_slope),
    "tan": Elementary(lax.tan, tan, tan_slope),
    "exp": Elementary(lax.exp, exponential(1.0), exp_slope),
    "exp2": Elementary(lax.exp2, exponential(math.log(2.0))),
    "expm1": Elementary(lax.expm1, expm1),
    "log": Elementary(lax.log, logarithm(1.0, 0.0)),
    "log1p": Elementary(lax.log1p, logarithm(1.0, 1.0)),
    "sin": Elementary(lax.sin, oscillation(lax.cos, -1)),
    "cos": Elementary(lax.cos, oscillation(lambda x: -lax.sin(x), -1)),
    "sinh": Elementary(lax.sinh, oscillation(lax.cosh, 1)),
    "cosh": Elementary(lax.cosh, oscillation(lax.sinh, 1)),
    "sqrt": Elementary(lax.sqrt, power(0.5, lambda x, y: 0.5 / y)),
    "rsqrt": Elementary(lax.rsqrt, power(-0.5, lambda x, y: -0.5 * y / x)),
    "cbrt": Elementary(lax.cbrt, power(1 / 3, lambda x, y: (1 / 3) / (y * y))),
    "asin": Elementary(lax.asin, integral(1, -1, -0.5)),
    "acos": Elementary(lax.acos, integral(1, -1, -0.5, -1)),
    "atan": Elementary(lax.atan, integral(1, 1, -1)),
    "asinh": Elementary(lax.asinh, integral(1, 1, -0.5)),
    "acosh": Elementary(lax.acosh, integral(-1, 1, -0.5)),
    "atanh": Elementary(lax.atanh, integral(1, -1, -1)),
    "erf": Elementary(lax.erf, gaussian_integral(1)),
    "erfc": Elementary(lax.erfc, gaussian_integral(-1)),
    "erf_inv": Elementary(lax.erf_inv, erf_inv),
    "lgamma": Elementary(lax.lgamma, lgamma),
    "digamma": Elementary(lax.digamma, digamma),
}
