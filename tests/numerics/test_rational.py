"""Inverse powers as sums of poles: few of them, real and negative, on eight decades."""

import numpy as np
import pytest

from nablax.rational import Poles, inverse_powers


def summed(poles: Poles, coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.asarray(coefficients[0] + (coefficients[1:] / (x[:, None] + poles.shifts)).sum(axis=1))


@pytest.mark.parametrize("power", [0.25, 0.5, 0.75])
@pytest.mark.parametrize(("tolerance", "most"), [(1e-6, 16), (1e-10, 26)])
def test_few_poles_on_eight_decades(power: float, tolerance: float, most: int) -> None:
    """At most 16 solves for 1e-6 and 26 for 1e-10 of λ^(-s) on [1, 1e8]; sinc quadrature takes 53 to 171."""
    lowest = 1e-8
    poles = inverse_powers((power,), lowest, tolerance, relative=False)
    assert len(poles.shifts) <= most
    assert (poles.shifts > 0).all()
    x = np.geomspace(lowest, 1, 5001)
    # The weights of absolute errors, for a table of absolute errors.
    columns = np.concatenate([np.ones((len(x), 1)), 1 / (x[:, None] + poles.shifts)], axis=1)
    size = np.linalg.norm(columns, axis=0)
    best = np.linalg.lstsq(columns / size, (x / lowest) ** -power, rcond=1e-15)[0] / size
    assert np.abs(columns @ best - (x / lowest) ** -power).max() < tolerance


@pytest.mark.parametrize("power", [0.1, 0.5, 0.9])
def test_relative_errors_of_one_power_and_of_all(power: float) -> None:
    x = np.geomspace(1e-5, 1, 3001)
    one = inverse_powers((power,), 1e-5, 1e-11)
    assert np.abs(summed(one, one.coefficients(power), x) * x**power - 1).max() < 2e-11
    every = inverse_powers((0.03, 0.3, 0.6, 0.97), 1e-5, 1e-11)
    coefficients = every.residues @ every.places ** (0.5 - power)
    assert np.abs(summed(every, coefficients, x) * x**power - 1).max() < 5e-9
