"""Steady problems by Fourier modes, against exact solutions."""

import jax
import numpy as np
import pytest

from nablax import parse
from nablax.backends.frames import Unsolved
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

BOX = """
space {{ x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }}
fields {{ u }}
params {{ a = 1 }}
equations {{ laplacian(u) = {right} }}
solve {{ n = 16 }}
"""
X = np.arange(16) * 2 * np.pi / 16
EXACT = np.sin(X)[:, None] * np.cos(X)[None]


def solver(text: str) -> SteadySolver:
    made = parse(text).compile()
    assert isinstance(made, SteadySolver)
    assert made.plan.method == "spectral"
    return made


@pytest.mark.parametrize("right", ["-2*sin(x)*cos(y)", "u^3 - 2*sin(x)*cos(y) - (sin(x)*cos(y))^3"])
def test_exact_to_rounding(right: str) -> None:
    found = solver(BOX.format(right=right)).solve()
    np.testing.assert_allclose(found.fields["u"], EXACT, atol=1e-12)


def test_incompatible_data() -> None:
    made = solver(BOX.format(right="a - 2*sin(x)*cos(y)"))
    with pytest.raises(Unsolved):
        made.solve()
    np.testing.assert_allclose(made.solve({"a": 0.0}).fields["u"], EXACT, atol=1e-12)


@pytest.mark.slow
def test_gradients() -> None:
    made = solver(BOX.format(right="a*u^3 + u - sin(x)"))

    def total(a: jax.Array) -> jax.Array:
        return (made.solve({"a": a}).fields["u"] ** 2).sum()

    numeric = (total(0.701) - total(0.699)) / 0.002
    assert float(jax.grad(total)(0.7)) == pytest.approx(float(numeric), rel=1e-5)


def test_stokes_flow() -> None:
    text = """
    space { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
    fields { U: vector; p }
    equations {
      -laplacian(U.x) + dx(p) = 2*sin(x)*cos(y) + cos(x)
      -laplacian(U.y) + dy(p) = -2*cos(x)*sin(y)
      div(U) = 0
    }
    solve { n = 16 }
    """
    found = solver(text).solve().fields
    np.testing.assert_allclose(found["U.x"], EXACT, atol=1e-12)
    np.testing.assert_allclose(found["p"], np.broadcast_to(np.sin(X)[:, None], (16, 16)), atol=1e-12)


RESONANT = """
space { x in [0, 1] periodic }
fields { u }
params { k = 3 }
equations { dxx(u) + k^2*u = cos(2*pi*x) }
solve { n = 16 }
"""


def test_a_resonance_is_no_solution() -> None:
    made = solver(RESONANT)
    wanted = np.cos(2 * np.pi * np.arange(16) / 16) / (9 - 4 * np.pi**2)
    np.testing.assert_allclose(made.solve().fields["u"], wanted, atol=1e-14)
    near = 2 * np.pi * (1 + 1e-6)  # far enough: large, and true
    large = np.asarray(made.solve({"k": near}).fields["u"])
    assert large[0] == pytest.approx(1 / (near**2 - 4 * np.pi**2), rel=1e-6)
    with pytest.raises(Unsolved):
        made.solve({"k": 2 * np.pi})
