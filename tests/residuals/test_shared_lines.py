"""Fields of one coordinate: points of a batch look back along one line, and share what they read there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.residuals.interpolation import interpolation
from nablax.derivatives.account import account

OPERATORS = (
    "rl(u, x, 1.5) + rl(u, x, 1.5, side=right)",
    "caputo(u, x, 0.3)*tempered(u, x, 1.6, 0.7, side=right) + fracint(u, x, a)",
)


def residual_of(operator, train=""):
    problem = nablax.parse(
        "space { x in [-1, 1] }\nfields { u }\nparams { a ~ 0.5 in [0.1, 0.9] }\n"
        f"equations {{ {operator} = 0 }}\nboundary {{ all: u = 0 }}\n{train}"
    )

    def known(w, z):
        return jnp.tanh(w * (z[0] - 0.3))[None] + jnp.cos(2 * w * z[0])

    return problem.residual(nablax.field(problem, known, jnp.asarray(1.2)))


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_batch_equals_its_points_one_by_one(operator):
    """Values, gradients in the network and slopes in the points, in double precision."""
    residual = residual_of(operator)
    points = jnp.linspace(-0.95, 1, 40)[:, None]

    def total(params, z):
        return residual(params, z)["equation/u"]

    def single(params, z):
        return jax.vmap(lambda point: total(params, point[None])[0])(z)

    params = residual.field.params
    np.testing.assert_allclose(total(params, points), single(params, points), atol=1e-9)
    found = jax.jit(jax.grad(lambda p, z: (total(p, z) ** 2).sum(), (0, 1)))(params, points)
    expected = jax.jit(jax.grad(lambda p, z: (single(p, z) ** 2).sum(), (0, 1)))(params, points)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7), found, expected)


def test_single_precision():
    residual = residual_of("rl(u, x, 1.5) + caputo(u, x, 1.7, side=right)")
    points = np.linspace(-0.9, 0.9, 64)[:, None]
    single = residual(
        {"net": jnp.float32(0.6), "eq": {"a": jnp.float32(0.5)}}, jnp.asarray(points, jnp.float32)
    )["equation/u"]
    double = residual({"net": jnp.asarray(0.6), "eq": {"a": jnp.asarray(0.5)}}, jnp.asarray(points))[
        "equation/u"
    ]
    assert single.dtype == jnp.float32
    apart = np.asarray(single, float) - np.asarray(double)
    assert np.sqrt(np.mean(apart**2) / np.mean(np.asarray(double) ** 2)) < 1e-5


def test_the_network_is_asked_once_for_a_batch():
    """At the nodes of both sides and at both bases; without shared nodes at those of every point."""
    asked = []

    def counted(_, z):
        jax.debug.callback(lambda point: asked.append(float(point[0])), z)
        return jnp.cos(z)

    def number(train):
        asked.clear()
        problem = nablax.parse(
            "space { x in [0, 1] }\nfields { u }\n"
            "equations { rl(u, x, 1.5) + rl(u, x, 1.5, side=right) = 0 }\n"
            f"boundary {{ all: u = 0 }}\n{train}"
        )
        residual = problem.residual(nablax.field(problem, counted, ()))
        jax.block_until_ready(residual((), jnp.linspace(0.1, 0.9, 50)[:, None]))
        jax.effects_barrier()
        return len(set(asked))

    assert number("") == 2 * 64 + 2
    assert number("train { quadrature = graded(12) }") > 12 * 50


def test_points_that_coincide_are_finite():
    residual = residual_of("rl(u, x, 1.5)")
    points = jnp.full((40, 1), 0.5)
    found = residual(residual.field.params, points)["equation/u"]
    np.testing.assert_allclose(found, residual(residual.field.params, points[:1])["equation/u"][0], rtol=1e-9)


def test_interpolation_reproduces_polynomials_and_their_slopes():
    places = jnp.asarray(np.random.default_rng(1).uniform(-2, 5, 50))
    between = interpolation(places, 9)
    np.testing.assert_allclose(between(between.nodes**8), places**8, rtol=1e-12, atol=1e-10)
    slope = jax.grad(lambda p: interpolation(p, 9)(between.nodes**3).sum())(places)
    inside = (places > places.min()) & (places < places.max())
    np.testing.assert_allclose(slope[inside], 3 * places[inside] ** 2, rtol=1e-11, atol=1e-10)
    constant = interpolation(jnp.ones(3), 4)
    np.testing.assert_allclose(constant(jnp.full(4, 7.0)), 7.0)


def test_the_account_says_so():
    problem = nablax.parse(
        "space { x in [0, 1] }\nfields { u }\nequations { rl(u, x, 1.5) = 1 }\nboundary { all: u = 0 }"
    )
    assert any("or between 64 on the line that a batch shares" in line for line in account(problem.system))
