"""Burgers' equation in closed form: told from others, and solved to rounding."""

import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.training.cole_hopf import reference
from nablax.training.burgers import read_burgers

SAW = """
space { x in [0, 2] }
time { t in [1, 3] }
fields { w }
params { nu = 0.05 }
equations { 2*dt(w) + 3*dx(w^2) = 2*nu*dxx(w) }
initial { w = 2*nu/3*pi*sin(pi*x)/(2 + cos(pi*x)) }
boundary { all: w = 0 }
"""


def exact(x, t, nu):
    """v = 3w = -2ν ∂x log φ with φ = 2 + exp(-ν π² t) cos πx."""
    decay = np.exp(-nu * np.pi**2 * t)
    return 2 * nu / 3 * np.pi * decay * np.sin(np.pi * x) / (2 + decay * np.cos(np.pi * x))


@pytest.mark.parametrize("around", [False, True])
def test_the_quadrature_is_exact_to_rounding(around):
    """Between walls; and on a circle, in a frame that moves."""
    spec = SAW
    if around:
        spec = SAW.replace("[0, 2] }", "[0, 2] periodic }", 1).replace("boundary { all: w = 0 }", "")
        spec = spec.replace("= 2*nu*dxx(w)", "+ dx(w) = 2*nu*dxx(w)")
    burgers = read_burgers(nablax.parse(spec).system)
    assert burgers is not None
    assert (burgers.advection, burgers.speed, burgers.viscosity) == (3, 0.5 if around else 0, 0.05)
    found = reference(burgers)
    x, t = found.points.T
    np.testing.assert_allclose(found.values, exact(x - burgers.speed * (t - 1), t - 1, 0.05), atol=1e-14)
    assert 0 < found.error < 1e-13


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("w^2", "w^3"),
        ("2*nu*dxx(w)", "2*nu*dxx(w) - w"),
        ("2*nu*dxx(w)", "2*nu*(1 + x)*dxx(w)"),
        ("all: w = 0", "x = 0: w = 0; x = 2: dx(w) = 0"),
        ("all: w = 0", "all: w = 1"),
        ("+ 3*dx(w^2)", "+ dx(w)"),
    ],
)
def test_other_equations_and_walls_are_told_from_it(old, new):
    assert read_burgers(nablax.parse(SAW.replace(old, new)).system) is None


def test_rough_data_have_no_such_reference():
    rough = SAW.replace("2*nu/3*pi*sin(pi*x)/(2 + cos(pi*x))", "step(x - 1)*(2 - x)")
    assert reference(read_burgers(nablax.parse(rough).system)) is None


def test_a_score_is_the_distance_from_it():
    found = reference(read_burgers(nablax.parse(SAW).system))

    def wrong(z):
        decay = jnp.exp(-0.05 * jnp.pi**2 * (z[:, 1] - 1))
        x = jnp.pi * z[:, 0]
        return {"w": 1.01 * 0.1 / 3 * jnp.pi * decay * jnp.sin(x) / (2 + decay * jnp.cos(x))}

    score = found.score(wrong, "float32", "w")
    assert score.error == pytest.approx(0.01, rel=1e-3)
    assert score.reference == found.error
