"""Every function of the language has the same value in JAX, in NumPy and in SymPy."""

import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from scipy import special

from nablax.backends import lowering
from nablax.backends.special import besselj
from nablax.functions import FUNCTIONS
from nablax.sampling import sample

POINTS = np.array([0.137, 0.5, 0.913])
SKIPPED = {"noise"}  # data, not a function
BEYOND_ONE = {"acosh"}


def expression(name: str) -> tuple[sp.Expr, tuple[sp.Symbol, ...]]:
    entry = FUNCTIONS[name]
    symbols = sp.symbols("a b c", real=True)[: max(entry.least, 1)]
    arguments: tuple[sp.Expr, ...] = symbols
    if name == "besselj":
        arguments = (sp.Integer(2), symbols[1])
    elif name == "mittag_leffler":
        arguments = (sp.Rational(7, 10), -symbols[1])
    elif name == "box":
        arguments = (symbols[0], sp.Rational(1, 5), sp.Rational(3, 5))
    return entry.build(*arguments), symbols


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - SKIPPED))
def test_evaluators_agree(name):
    value, symbols = expression(name)
    shift = 1.0 if name in BEYOND_ONE else 0.0
    points = {s: POINTS * (1 + 0.1 * i) + shift for i, s in enumerate(symbols)}
    (lowered,) = lowering.evaluate([value], {s: jnp.asarray(p) for s, p in points.items()})
    exact = [
        complex(value.subs({s: sp.Float(p[i], 30) for s, p in points.items()}).evalf(20)) for i in range(3)
    ]
    np.testing.assert_allclose(np.asarray(lowered), exact, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(np.broadcast_to(sample(value, points), (3,)), exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    "name",
    sorted(
        set(FUNCTIONS)
        - SKIPPED
        - {
            "floor",
            "ceil",
            "heaviside",
            "step",
            "box",
            "sign",
            "besselj",
            "mittag_leffler",
            "max",
            "min",
            "atan2",
            "re",
            "im",
            "conj",
            "arg",
            "abs",
        }
    ),
)
def test_derivatives_can_be_lowered(name):
    value, symbols = expression(name)
    slope = sp.diff(value, symbols[0])
    shift = 1.0 if name in BEYOND_ONE else 0.0
    (lowered,) = lowering.evaluate([slope], {s: jnp.asarray(POINTS + shift) for s in symbols})
    exact = [complex(slope.subs({s: sp.Float(p + shift, 30) for s in symbols}).evalf(20)) for p in POINTS]
    np.testing.assert_allclose(np.broadcast_to(np.asarray(lowered), (3,)), exact, rtol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 7, -3])
def test_bessel_functions(order):
    z = np.concatenate([np.linspace(-5, 5, 11), [0.0, 1e-8, 40.0, 300.0, 900.0]])
    np.testing.assert_allclose(besselj(order, jnp.asarray(z)), special.jv(order, z), atol=2e-13)
    assert np.isnan(besselj(order, jnp.asarray(2000.0)))
