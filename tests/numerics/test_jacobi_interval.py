"""The fractional Laplacian at rest on intervals and in balls: exact for polynomials, fast for smooth data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma

from nablax import parse
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

SPEC = """
space {{ x in [{low}, {high}] }}
fields {{ u }}
params {{ a = 1.5 }}
equations {{ {equation} }}
boundary {{ all: u = 0 }}
solve {{ n = {n}; {solve} }}
"""


def solver_of(equation: str, n: int = 24, low: int = -1, high: int = 1, solve: str = "") -> SteadySolver:
    made = parse(SPEC.format(equation=equation, n=n, low=low, high=high, solve=solve)).compile()
    assert isinstance(made, SteadySolver)
    return made


@pytest.mark.parametrize("a", [0.4, 1.0, 1.9])
def test_getoor_and_dyda(a: float) -> None:
    """Of (1 - x²)^(a/2) and of (1 - x²)^(1 + a/2) (B. Dyda, Fract. Calc. Appl. Anal. 15 (2012) 536)."""
    x = np.linspace(-1, 1, 25)
    solver = solver_of("fraclap(u, a/2, kind=integral) = gamma(1 + a)")
    assert solver.plan.method == "spectral"
    found = solver.solve({"a": a}).fields["u"]
    assert np.allclose(found, (1 - x**2) ** (a / 2), rtol=0, atol=1e-12)
    right = "2^a*gamma(a/2 + 2)*gamma((1 + a)/2)/gamma(1/2)*(1 - (1 + a)*x^2)"
    solver = solver_of(f"fraclap(u, a/2, kind=integral) = {right}")
    found = solver.solve({"a": a}).fields["u"]
    assert np.allclose(found, (1 - x**2) ** (1 + a / 2), rtol=0, atol=1e-12)


@pytest.mark.slow
def test_smooth_data_and_a_reaction_on_another_interval() -> None:
    """Against the differences, which converge to the same field."""
    equation = "2*riesz(u, x, a) - (1 + x)*u + exp(x) = 0"
    fine = solver_of(equation, 512, 0, 3, "method = fd").solve().fields["u"]
    modes = solver_of(equation, 32, 0, 3).solve().fields["u"]
    middle = np.abs(np.asarray(fine)[::16] - modes)[4:-4]
    assert middle.max() < 2e-3 * np.abs(modes).max()
    more = solver_of(equation, 64, 0, 3).solve().fields["u"]
    assert np.abs(np.asarray(more)[::2] - modes).max() < 1e-5


@pytest.mark.slow
def test_the_order_can_be_fitted() -> None:
    solver = solver_of("fraclap(u, a/2, kind=integral) = cos(x)")

    def middle(a: jax.Array) -> jax.Array:
        return solver.solve({"a": a}).fields["u"][12]

    slope = float(jax.grad(middle)(jnp.asarray(1.5)))
    apart = float(middle(jnp.asarray(1.501)) - middle(jnp.asarray(1.499))) / 0.002
    assert slope == pytest.approx(apart, rel=1e-5)


BALL = """
space {coordinates} {{ r in [0, {radius}] }}
fields {{ u }}
params {{ a = 0.8 }}
equations {{ {equation} }}
boundary {{ r = {radius}: u = 0 }}
solve {{ n = 24 }}
"""


def in_ball(coordinates: str, equation: str, radius: int = 1) -> np.ndarray:
    made = parse(BALL.format(coordinates=coordinates, equation=equation, radius=radius)).compile()
    assert isinstance(made, SteadySolver)
    assert made.plan.method == "spectral"
    return np.asarray(made.solve().fields["u"])


@pytest.mark.parametrize(("coordinates", "d"), [("polar", 2), ("spherical", 3)])
def test_balls(coordinates: str, d: int) -> None:
    """Of (R² - r²)^(a/2) and of (1 - r²)^(1 + a/2), with a reaction (B. Dyda, Fract. Calc. Appl. Anal. 15
    (2012) 536): the nodes run from the centre to the wall."""
    a, r = 0.8, np.linspace(0, 1, 25)
    first = "fraclap(u, a/2, kind=integral)"
    unit = 2**a * gamma(1 + a / 2) * gamma((d + a) / 2) / gamma(d / 2)
    found = in_ball(coordinates, f"{first} = 1", radius=2)
    assert np.allclose(found, (4 - 4 * r**2) ** (a / 2) / unit, rtol=0, atol=1e-13)
    right = f"2^a*gamma(a/2 + 2)*gamma(({d} + a)/2)/gamma({d}/2)*(1 - (1 + a/{d})*r^2)"
    found = in_ball(coordinates, f"{first} + (2 + r^2)*u = {right} + (2 + r^2)*(1 - r^2)^(1 + a/2)")
    assert np.allclose(found, (1 - r**2) ** (1 + a / 2), rtol=0, atol=1e-6)
