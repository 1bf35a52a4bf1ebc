"""Sampled residuals: unbiased, and small where exact ones would be large."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.frontend.diagnostics import SpecError

SPEC = """
space {{ x[1..{n}] in [-1, 1] }}
fields {{ u }}
equations {{ {equation} }}
boundary {{ all: u = 0 }}
"""
ALLEN_CAHN = "laplacian(u) + u - u^3 = 0"
DRIFT = "sum(x[k]^2*d(u, x[k], 2) + d(u, x[k])^2, k) = u"


def setting(n, equation, width=16):
    problem = nablax.parse(SPEC.format(n=n, equation=equation))
    field = nablax.field(problem, eqx.nn.MLP(n, 1, width, 2, jnp.tanh, key=jax.random.key(0)))
    return problem, field


def within_three_errors(samples, exact):
    samples = np.asarray(samples)
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert np.all(np.abs(samples.mean(axis=0) - exact) <= 3 * error + 1e-12)
    return error


@pytest.mark.parametrize(
    ("equation", "how"),
    [(ALLEN_CAHN, "stochastic(3)"), (ALLEN_CAHN, "stochastic(3, dense)"), (DRIFT, "stochastic(3)")],
)
def test_residuals_and_losses_are_unbiased(equation, how):
    problem, field = setting(8, equation)
    z = jax.random.uniform(jax.random.key(1), (2, 8), minval=-1)
    exact = problem.residual(field, "exact")(field.params, z)["equation/u"]
    nested = problem.residual(field, "nested")(field.params, z)["equation/u"]
    np.testing.assert_allclose(exact, nested, rtol=1e-10, atol=1e-12)
    residual = problem.residual(field, how)
    keys = jax.random.split(jax.random.key(2), 1000)
    drawn = jax.vmap(lambda k: residual(field.params, z, k)["equation/u"])(keys)
    error = within_three_errors(drawn, exact)
    assert np.all(error > 0)  # it did draw
    losses = problem.losses(field, how)
    values = jax.vmap(lambda k: losses(field.params, {"equation": z}, k)["equation/u"])(keys)
    mean = jnp.mean(exact**2)
    within_three_errors(values, mean)
    squares = jnp.mean(drawn**2, axis=1)
    # The square of one draw would have been too large.
    assert squares.mean() - mean > 3 * squares.std() / np.sqrt(len(keys))


NAMED = """
space { x in [-1, 1] periodic; y in [-1, 1] periodic; z in [-1, 1] periodic; w in [-1, 1] periodic }
fields { u }
equations { $ = 0 }
"""


@pytest.mark.parametrize(
    ("equation", "how"),
    [
        ("laplacian(u) + u - u^3", "stochastic(2)"),
        ("u*laplacian(u) - sin(x)*dx(u)", "stochastic(2, dense)"),
        ("biharmonic(u) + 3*dxx(u) - 2*dyz(u) + dzz(u)", "stochastic(2)"),
        ("biharmonic(u)", "stochastic(2, dense)"),
        ("dxyz(u) + laplacian(u)^2", "stochastic(2)"),
    ],
)
def test_directions_over_named_axes_are_drawn_without_bias(equation, how):
    problem = nablax.parse(NAMED.replace("$", equation))
    weights = jax.random.normal(jax.random.key(0), (3, 4)) / 2
    field = nablax.field(problem, lambda w, z: jnp.tanh(w @ z).sum()[None], weights)
    z = jax.random.uniform(jax.random.key(1), (2, 4), minval=-1)
    exact = problem.residual(field, "exact")(field.params, z)["equation/u"]
    keys = jax.random.split(jax.random.key(2), 1000)
    residual = problem.residual(field, how)
    drawn = jax.vmap(lambda k: residual(field.params, z, k)["equation/u"])(keys)
    assert np.all(within_three_errors(drawn, exact) > 0)
    losses = problem.losses(field, how)
    values = jax.vmap(lambda k: losses(field.params, {"equation": z}, k)["equation/u"])(keys)
    mean = jnp.mean(exact**2)
    within_three_errors(values, mean)
    squares = jnp.mean(drawn**2, axis=1)
    assert squares.mean() - mean > 3 * squares.std() / np.sqrt(len(keys))


@pytest.mark.parametrize(
    "spec",
    [
        SPEC.format(n=8, equation="laplacian(u)^2 + sin(sum(x[k]*d(u, x[k]), k)) = u"),
        SPEC.format(n=8, equation="exp(biharmonic(u)) = u"),
        SPEC.format(n=8, equation="where(laplacian(u) > 0, 1, 0) + u = 0"),
        SPEC.format(n=8, equation="u*where(laplacian(u) + u > 0, x[1], 0) + floor(laplacian(u)) = 0"),
        NAMED.replace("$", "laplacian(u)^2 + dx(u)*sin(dyz(u))"),
    ],
)
def test_what_enters_a_nonlinear_term_is_exact(spec):
    problem = nablax.parse(spec)
    axes = sum(a.size or 1 for a in problem.stages.problem.axes)
    weights = jax.random.normal(jax.random.key(0), (3, axes)) / 4
    field = nablax.field(problem, lambda w, z: jnp.tanh(w @ z).sum()[None], weights)
    z = jax.random.uniform(jax.random.key(1), (2, axes), minval=-1)
    exact = problem.residual(field, "exact")(field.params, z)["equation/u"]
    found = problem.residual(field, "stochastic(2)")(field.params, z)["equation/u"]
    np.testing.assert_allclose(found, exact, rtol=1e-10)


def test_a_long_sum_in_a_nonlinear_term_is_refused_where_it_stands():
    problem, field = setting(1000, "u + laplacian(u)^2 = 1", 8)
    with pytest.raises(SpecError, match=r"P559.*a sum of 1000 terms(.|\n)*:4:13"):
        problem.losses(field)
    assert problem.residual(field, "exact")(field.params, jnp.zeros((1, 1000)))["equation/u"].shape == (1,)


def test_what_is_drawn_of_named_axes_is_shown():
    train = "train { derivatives = stochastic(2) }"
    problem = nablax.parse(NAMED.replace("$", "biharmonic(u) + u*laplacian(u)") + train)
    assert "estimated from 2 of its 12 directions" in problem.show()
    assert "estimated from 2 of its 4 directions" in problem.show()


def test_drawn_residuals_want_a_key_and_have_no_vector():
    problem, field = setting(8, ALLEN_CAHN)
    z = jnp.zeros((1, 8))
    with pytest.raises(ValueError, match="3 directions are drawn for each evaluation: give a key"):
        problem.residual(field, "stochastic(3)")(field.params, z)
    with pytest.raises(ValueError, match="drawn at random, and their squares would be biased"):
        problem.residual_vector(field, "stochastic(3)")(field.params, {"equation": z})
    with pytest.raises(ValueError, match="`random` is no way to have derivatives"):
        problem.residual(field, "random")


def test_many_dimensions_are_sampled_unless_asked_otherwise():
    problem, field = setting(1000, ALLEN_CAHN, 8)
    with pytest.raises(ValueError, match="16 directions are drawn"):
        problem.residual(field)(field.params, jnp.zeros((1, 1000)))
    assert "estimated from 16 members" in problem.show()
    exact = problem.residual(field, "exact")(field.params, jnp.zeros((1, 1000)))
    assert exact["equation/u"].shape == (1,)
