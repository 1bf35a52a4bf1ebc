"""Repeated Laplacians along families of axes: against nested derivatives, and drawn without bias."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.frontend.diagnostics import SpecError

pytestmark = pytest.mark.brief

SPEC = """
space {{ {space} }}
fields {{ u }}
equations {{ {equation} }}
"""


def setting(space, equation, columns):
    problem = nablax.parse(SPEC.format(space=space, equation=equation))
    weights = jax.random.normal(jax.random.key(0), (3, columns)) / 2
    return problem, nablax.field(problem, lambda w, z: jnp.tanh(w @ z).sum()[None], weights)


def nested_laplacian(f, columns):
    def value(z):
        hessian = jax.jacfwd(jax.jacfwd(f))(z)
        return sum(hessian[i, i] for i in columns)

    return value


CASES = {
    "one family": ("x[1..3] in [-1, 1]", "biharmonic(u) - 3*laplacian(u) = 0", 3),
    "one and an axis": ("x[1..2] in [-1, 1]; y in [-1, 1]", "biharmonic(u) - 3*laplacian(u) = 0", 3),
    "two families": ("x[1..2] in [-1, 1]; y[1..2] in [-1, 1]", "biharmonic(u) - 3*laplacian(u) = 0", 4),
}
SLOW = [pytest.param(name, marks=() if name == "one family" else pytest.mark.slow) for name in CASES]


@pytest.mark.parametrize("name", SLOW)
def test_the_biharmonic_over_families_and_its_gradient(name):
    space, equation, d = CASES[name]
    problem, field = setting(space, equation, d)
    z = jax.random.uniform(jax.random.key(1), (2, d), minval=-1)
    residual = problem.residual(field)

    def ours(w):
        return residual(w, z)["equation/u"]

    def by_hand(w):
        once = nested_laplacian(lambda p: jnp.tanh(w @ p).sum(), range(d))
        return jax.vmap(lambda p: nested_laplacian(once, range(d))(p) - 3 * once(p))(z)

    np.testing.assert_allclose(ours(field.params), by_hand(field.params), rtol=1e-10, atol=1e-10)
    ours_slope, slope = (jax.grad(lambda w, f=f: jnp.mean(f(w) ** 2))(field.params) for f in (ours, by_hand))
    np.testing.assert_allclose(ours_slope, slope, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [case for case in SLOW if case.values[0] != "one and an axis"])
def test_drawn_biharmonics_are_unbiased(name):
    space, equation, d = CASES[name]
    problem, field = setting(space, equation, d)
    z = jax.random.uniform(jax.random.key(1), (1, d), minval=-1)
    exact = problem.residual(field, "exact")(field.params, z)["equation/u"]
    drawn = problem.residual(field, "stochastic(1)")
    keys = jax.random.split(jax.random.key(2), 1000)
    found = np.asarray(jax.vmap(lambda k: drawn(field.params, z, k)["equation/u"])(keys))
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert np.all(error > 0)
    assert np.all(abs(found.mean(axis=0) - exact) < 3 * error)


def test_a_laplacian_of_a_rate_over_a_family():
    problem = nablax.parse(
        "space { x[1..5] in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\n"
        "equations { dt(u) - dt(laplacian(u)) = 0 }\ninitial { u = 0 }\n"
    )
    field = nablax.field(problem, lambda _, z: (z[-1] ** 2 * jnp.sum(z[:-1] ** 3))[None], ())
    z = jax.random.uniform(jax.random.key(0), (3, 6))
    t, x = z[:, -1], z[:, :-1]
    found = problem.residual(field)((), z)["equation/u"]
    np.testing.assert_allclose(found, 2 * t * (x**3 - 6 * x).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("factor", ["x[1]", "u", "sum(x[k]^2, k)"])
def test_factors_that_change_along_a_family_are_refused(factor):
    with pytest.raises(SpecError, match="the Laplacian of other derivatives along a family"):
        setting("x[1..3] in [0, 1]", f"laplacian({factor}*laplacian(u)) = 0", 3)


def test_what_is_needed_is_shown():
    problem, _ = setting("x[1..100] in [0, 1]", "biharmonic(u) = 0", 100)
    assert "Δ² u: 2 composed Laplacians, 10404 vectors in arrays" in problem.show()
    problem, _ = setting("x[1..1000] in [0, 1]", "biharmonic(u) = 0", 1000)
    assert "Δ² u: estimated from 16 random directions at a time" in problem.show()
