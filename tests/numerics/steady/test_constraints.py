"""Elliptic constraints beside evolution equations, in boxes with walls."""

import numpy as np
import pytest

from nablax import parse
from nablax.backends.solver import Solver

pytestmark = pytest.mark.brief

# u decays by its own signal: with u and c both multiples of one mode, dt(u) = -c is an exact decay.
MODE = """
space {{ x in [0, 1]; y in [0, 1] periodic }}
time {{ t in [0, 0.2] }}
fields {{ u; c }}
equations {{
  dt(u) = 0.1*laplacian(u) - {drift}
  0 = {signal}
}}
initial {{ u = sin(pi*x)*cos(2*pi*y) }}
boundary {{ all: u = 0, c = 0 }}
solve {{ n = 24; step = {step}; tol = 1e-8 }}
output {{ every = 0.1 }}
"""
K = 5 * np.pi**2


def decay(text: str, rate: float) -> float:
    """The largest error of u at the end, whose exact solution is its first value times exp(-rate t)."""
    made = parse(text).compile()
    assert isinstance(made, Solver)
    found = made.solve().fields["u"]
    return float(np.max(np.abs(found[-1] - found[0] * np.exp(-0.2 * rate))))


@pytest.mark.parametrize(
    "step",
    ["rk4", pytest.param("imex", marks=pytest.mark.slow), pytest.param("implicit", marks=pytest.mark.slow)],
)
def test_linear_constraint(step: str) -> None:
    text = MODE.format(drift="20*c", signal="laplacian(c) + u", step=step)
    assert decay(text, 0.1 * K + 20 / K) < 2e-5


@pytest.mark.slow
def test_nonlinear_constraint() -> None:
    # c + c^3 = u + u^3 is c = u.
    text = MODE.format(drift="c", signal="laplacian(c) - laplacian(u) + c^3 - u^3", step="rk4")
    assert decay(text, 0.1 * K + 1) < 2e-5


def test_a_potential_in_a_closed_box_has_zero_mean() -> None:
    text = """
    space { x in [0, 1] }
    time { t in [0, 0.1] }
    fields { u; phi }
    equations { dt(u) = dxx(u) + dx(phi); 0 = dxx(phi) + u }
    initial { u = cos(pi*x) }
    boundary { all: dn(u) = 0, dn(phi) = 0 }
    solve { n = 24; step = rk4 }
    output { every = 0.1 }
    """
    made = parse(text).compile()
    assert isinstance(made, Solver)
    assert any(c.what == "mean of phi" for c in made.plan.choices)
    phi = np.asarray(made.solve().fields["phi"])
    x = np.linspace(0, 1, 25)
    np.testing.assert_allclose(phi[0], np.cos(np.pi * x) / np.pi**2, atol=1e-5)
