"""Taylor coefficients of the elementary functions against arbitrary precision, to order eight."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jax import lax

from nablax.backends.taylor import propagate
from nablax.backends.taylor.elementary import ELEMENTARY
from nablax.derivatives.algebra import univariate

ORDER = 8
EXACT = {
    "logistic": lambda z: 1 / (1 + mpmath.exp(-z)),
    "exp2": lambda z: mpmath.mpf(2) ** z,
    "rsqrt": lambda z: 1 / mpmath.sqrt(z),
    "erf_inv": mpmath.erfinv,
    "lgamma": mpmath.loggamma,
    "digamma": mpmath.digamma,
    "log1p": mpmath.log1p,
    "expm1": mpmath.expm1,
}
POINTS = {"acosh": 1.7}


@pytest.mark.parametrize("name", sorted(ELEMENTARY))
def test_coefficients(name):
    point = POINTS.get(name, 0.37)
    function = ELEMENTARY[name].value
    # x = point + t + t²/2: a curve, so that the chain rule has work to do.
    with mpmath.workdps(40):
        exact = EXACT.get(name) or getattr(mpmath, name)
        expected = [float(c) for c in mpmath.taylor(lambda t: exact(point + t + t * t / 2), 0, ORDER)]

    def along(t):
        return function(point + t + t * t / 2)

    result = propagate(along, jnp.float64(0.0), (jnp.float64(1.0),), univariate(ORDER))
    np.testing.assert_allclose(result, expected, rtol=2e-11, atol=1e-11)


@pytest.mark.parametrize("exponent", [-3, -1, 0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("point", [0.8, -1.3])
def test_integer_powers(exponent, point):
    with mpmath.workdps(40):
        expected = [float(c) for c in mpmath.taylor(lambda t: mpmath.sin(point + t) ** exponent, 0, ORDER)]
    result = propagate(
        lambda t: jnp.sin(point + t) ** exponent, jnp.float64(0), (jnp.float64(1),), univariate(ORDER)
    )
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(2.0, [0, 0, 1, 0]), (3.0, [0, 0, 0, 1]), (1.0, [0, 1, 0, 0]), (0.0, [1, 0, 0, 0])],
)
def test_powers_of_zero_with_a_whole_exponent_are_polynomials(exponent, expected):
    result = propagate(lambda t: lax.pow(t, exponent), jnp.float64(0), (jnp.float64(1),), univariate(3))
    np.testing.assert_array_equal(result, expected)


def test_the_derivative_of_the_exponent():
    def second(exponent):
        return propagate(lambda t: t**exponent, jnp.float64(1.5), (jnp.float64(1),), univariate(2))[2]

    # d/dp p(p-1)/2 x^(p-2)
    exact = 1.5**0.5 * ((2 * 2.5 - 1) / 2 + 2.5 * 1.5 / 2 * np.log(1.5))
    np.testing.assert_allclose(jax.jit(jax.grad(second))(2.5), exact, rtol=1e-12)


@pytest.mark.parametrize("name", ["exp", "tanh", "sin", "log", "sqrt", "logistic"])
def test_complex_arguments(name):
    point = 0.4 + 0.3j
    with mpmath.workdps(30):
        exact = EXACT.get(name) or getattr(mpmath, name)
        expected = [complex(c) for c in mpmath.taylor(exact, point, 4)]
    result = propagate(ELEMENTARY[name].value, jnp.asarray(point), (jnp.asarray(1 + 0j),), univariate(4))
    np.testing.assert_allclose(result, expected, rtol=1e-11)
