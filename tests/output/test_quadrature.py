"""Integrals of nodal values."""

import numpy as np
import pytest

from nablax.backends.quadrature import gregory_coefficients, integrate, norm, weights
from nablax.plan import GridAxis


def test_gregory_coefficients():
    known = (1 / 12, 1 / 24, 19 / 720, 3 / 160, 863 / 60480)
    np.testing.assert_allclose(gregory_coefficients(5), known, rtol=1e-12)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_order_on_a_bounded_axis(order):
    errors = []
    for n in (20, 40):
        axis = GridAxis("x", 0.0, 2.0, n, periodic=False)
        x = np.linspace(0, 2, n + 1)
        errors.append(abs(np.sum(weights(axis, order) * np.exp(x)) - np.expm1(2.0)))
    assert np.log2(errors[0] / errors[1]) > order - 0.35


@pytest.mark.parametrize("order", [2, 4, 6, 8])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 9, 30])
def test_weights_are_positive_and_add_up(order, n):
    w = weights(GridAxis("x", 1.0, 4.0, n, periodic=False), order)
    assert np.all(w > 0)
    assert np.sum(w) == pytest.approx(3.0)


def test_periodic_sum_is_exact():
    axis = GridAxis("x", 0.0, 2 * np.pi, 16, periodic=True)
    x = 2 * np.pi * np.arange(16) / 16
    assert np.sum(weights(axis, 2) * (3 + np.sin(7 * x))) == pytest.approx(6 * np.pi, rel=1e-15)


def test_several_axes():
    grid = (GridAxis("x", 0.0, 1.0, 10, periodic=False), GridAxis("y", 0.0, 2.0, 8, periodic=True))
    x = np.linspace(0, 1, 11)[:, None]
    values = x**3 * np.ones((1, 8))
    np.testing.assert_allclose(integrate(values, grid, [0], 6), np.full((1, 8), 0.25), rtol=1e-13)
    np.testing.assert_allclose(integrate(values, grid, [0, 1], 6), [[0.5]], rtol=1e-13)
    assert norm(2 * np.ones((11, 8)), grid) == pytest.approx(2 * np.sqrt(2))
