"""The reference evaluator against values and derivatives known in closed form."""

import numpy as np
import pytest
import sympy as sp

from nablax.backends.formulas import differentiate, differentiation_matrix
from nablax.backends.reference import (
    Nodes,
    UnevaluableError,
    evaluate,
    nodes,
    reference_rate,
)
from nablax.fractional_calculus.special import MittagLeffler
from nablax.plan import GridAxis
from nablax.sampling import FUNCTIONS
from nablax.surrogates import Surrogate

x, y, t = sp.symbols("x y t", real=True)
RING = GridAxis("x", 0.0, 2 * np.pi, 24, periodic=True)
ROD = GridAxis("y", 0.0, 1.0, 30, periodic=False)
PLANE = Nodes((RING, ROD), (x, y), t, accuracy=6)
POINT = Nodes((), (), None, accuracy=4)

ARGUMENTS = {sp.acosh: 1.5, sp.acoth: 1.5, sp.Heaviside: -0.3}
TWO = (Surrogate, sp.atan2, sp.besselj, sp.bessely, sp.besseli, sp.besselk, sp.Max, sp.Min, sp.polygamma)


VALUED = [f for f in FUNCTIONS if issubclass(f, sp.Function) and f is not sp.DiracDelta]


@pytest.mark.parametrize("function", VALUED, ids=str)
def test_functions_against_sympy(function):
    value = sp.Float(ARGUMENTS.get(function, 0.37), 30)
    numbers = (sp.Integer(2), value) if function in TWO else (value,)
    if function is MittagLeffler:
        numbers = (sp.Rational(1, 2), sp.Integer(2), -value)
    symbols = sp.symbols("a b c", real=True)[: len(numbers)]
    environment = {s: np.asarray(float(n)) for s, n in zip(symbols, numbers, strict=True)}
    expected = complex(function(*numbers).evalf(20))
    assert complex(evaluate(function(*symbols), environment, POINT)) == pytest.approx(expected, rel=1e-13)


def test_piecewise_and_relations():
    values = PLANE.coordinates()
    inside = sp.Piecewise((2, (x >= 1) & (x < 2)), (x, x > 5), (0, True))
    array = evaluate(inside, values, PLANE)
    xs = values[x]
    np.testing.assert_array_equal(array, np.where((xs >= 1) & (xs < 2), 2, np.where(xs > 5, xs, 0)))
    assert np.isnan(evaluate(sp.Piecewise((1, x > 100)), values, PLANE)).all()


def test_constants_are_exact_numbers():
    assert evaluate(sp.Rational(1, 3) + sp.pi, {}, POINT) == pytest.approx(1 / 3 + np.pi)
    assert complex(evaluate(sp.I * 2, {}, POINT)) == 2j
    assert evaluate(sp.oo, {}, POINT) == np.inf


def test_derivatives_of_nodal_values():
    values = PLANE.coordinates()
    u = np.sin(3 * values[x]) * np.exp(values[y])
    expected = -9 * u
    np.testing.assert_allclose(differentiate(u, PLANE.place, (2, 0)), expected, atol=1e-11)
    np.testing.assert_allclose(differentiate(u, PLANE.place, (0, 1)), u, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(differentiate(u, PLANE.place, (2, 1)), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_matrix_is_exact_on_polynomials(order):
    matrix = differentiation_matrix(ROD, order, 4)
    points = np.linspace(0, 1, 31)
    for power in range(order + 4):
        expected = np.polyval(np.polyder(np.poly1d([1] + [0] * power), order), points)
        np.testing.assert_allclose(matrix @ points**power, expected, atol=1e-5 * 30**order * 1e-6 + 1e-8)


def test_what_a_frame_cannot_answer():
    u = sp.Function("u")(x, y, t)
    for expression in (sp.Derivative(u, t), u, sp.Symbol("missing"), sp.zeta(x)):
        with pytest.raises(UnevaluableError):
            evaluate(expression, PLANE.coordinates(), PLANE)


def test_reference_rate_of_burgers(plan_of):
    plan = plan_of(
        """
        space { x in [0, 2*pi] periodic }
        time { t in [0, 1] }
        fields { u }
        params { nu = 0.1 }
        equations { dt(u) + u*dx(u) = nu*dxx(u) + cos(x)*t }
        initial { u = sin(x) }
        solve { n = 32 }
        """
    )
    points = 2 * np.pi * np.arange(32) / 32
    u = np.sin(points)
    rate = reference_rate(plan, 2.0, {"u": u}, {"nu": 0.1})
    expected = -u * np.cos(points) - 0.1 * u + 2 * np.cos(points)
    np.testing.assert_allclose(rate["u"], expected, atol=1e-12)


def test_reference_rate_of_a_wave_and_a_nonlocal_term(plan_of):
    plan = plan_of(
        """
        space { x in [0, 2*pi] periodic }
        time { t in [0, 1] }
        fields { w }
        equations { dtt(w) = -fraclap(w, 1/2) }
        initial { w = sin(2*x); dt(w) = 0 }
        solve { n = 32 }
        """
    )
    points = 2 * np.pi * np.arange(32) / 32
    fields = {"w": np.sin(2 * points), "dt(w)": np.cos(points)}
    rates = reference_rate(plan, 0.0, fields, {})
    np.testing.assert_allclose(rates["w"], np.cos(points), atol=1e-13)
    np.testing.assert_allclose(rates["dt(w)"], -2 * np.sin(2 * points), atol=1e-12)


def test_nodes_of_a_plan(ring):
    assert nodes(ring()).accuracy == 4
    assert nodes(ring(), 8).accuracy == 8
