"""Fractional Laplacians of fields all around a point: against closed forms, on every support."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma, gammaln, hyp1f1

import nablax
from nablax.backends.residuals.points import check_balls

SPEC = """
space {{ {axes} }}
fields {{ u }}
params {{ s {order} }}
equations {{ {term} = 0 }}
{boundary}
"""
SQUARE = "x in [-1, 1]; y in [-1, 1]"
CUBE = SQUARE + "; z in [-1, 1]"
ZERO = "boundary { all: u = 0 }"


def residual_of(axes, term, order, function, points, dtype=jnp.float64, boundary="", key=None):
    """What `term = 0` leaves of a function at points."""
    problem = nablax.parse(SPEC.format(axes=axes, term=term, order=order, boundary=boundary))
    field = nablax.field(problem, lambda _, z: function(z)[None], ())
    value = jax.jit(problem.residual(field))((), jnp.asarray(points, dtype), key)["equation/u"]
    assert value.dtype == dtype
    return value


def inside_ball(dimensions, count=4):
    points = np.random.default_rng(dimensions).normal(size=(count, dimensions))
    return points / np.linalg.norm(points, axis=1, keepdims=True) * np.linspace(0, 0.95, count)[:, None]


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.float64, 1e-9), (jnp.float32, 1e-5)])
@pytest.mark.parametrize(("axes", "order"), [(SQUARE, 0.25), (CUBE, 0.9)])
def test_the_torsion_function_of_the_ball(axes, order, dtype, tolerance):
    """(-Δ)^s (1 - |x|²)^s is constant (R. K. Getoor, Trans. Amer. Math. Soc. 101 (1961) 75)."""
    d = axes.count("in")
    found = residual_of(
        axes, "fraclap(u, s, kind=integral, support=ball)", f"= {order}",
        lambda z: (1 - z @ z) ** order, inside_ball(d), dtype,
    )  # fmt: skip
    constant = 4**order * gamma(1 + order) * gamma(d / 2 + order) / gamma(d / 2)
    np.testing.assert_allclose(found, constant, rtol=tolerance)


@pytest.mark.parametrize("support", ["space", "box"])
@pytest.mark.parametrize("order", [0.5, 0.8])
def test_gaussians_in_the_plane(support, order):
    """(-Δ)^s exp(-k|x|²) by Kummer's function; on a box that is wide enough the walls make no difference."""
    k = 4.0 if support == "space" else 25.0
    points = inside_ball(2)
    found = residual_of(
        SQUARE, f"fraclap(u, s, kind=integral, support={support})", f"= {order}",
        lambda z: jnp.exp(-k * z @ z), points, boundary=ZERO if support == "box" else "",
    )  # fmt: skip
    square = k * np.sum(points**2, axis=1)
    exact = (4 * k) ** order * gamma(1 + order) * hyp1f1(1 + order, 1, -square)
    np.testing.assert_allclose(found, exact, atol=(1e-6 if support == "space" else 3e-4) * exact[0])


def test_an_order_across_one_is_a_leaf():
    """s from 0.3 to 0.9 as an unknown: values on both sides and slopes by central differences."""
    problem = nablax.parse(
        SPEC.format(
            axes="x in [-1, 1]",
            term="fraclap(u, s, kind=integral)",
            order="~ 0.5 in [0.3, 0.9]",
            boundary=ZERO,
        )
    )
    field = nablax.field(problem, lambda _, z: jnp.cos(z) * (1 - z**2), ())
    points = inside_ball(1, 3)

    @jax.jit
    def total(order):
        return problem.residual(field)({"net": (), "eq": {"s": order}}, points)["equation/u"]

    step = 1e-4
    for order in (0.5, 0.7):
        numeric = (total(order + step) - total(order - step)) / (2 * step)
        np.testing.assert_allclose(jax.jacfwd(total)(order), numeric, rtol=1e-6, atol=1e-6)
    near = [total(s) for s in (0.4999999, 0.5, 0.5000001)]
    np.testing.assert_allclose(near[1], (near[0] + near[2]) / 2, rtol=1e-10)


def above(d, s):
    """(-Δ)^s (1 - |x|²)^(1 + s) at |x| = 1/2 (B. Dyda, Fract. Calc. Appl. Anal. 15 (2012) 536)."""
    return 4**s * gamma(2 + s) * np.exp(gammaln(d / 2 + s) - gammaln(d / 2)) * (1 - (1 + 2 * s / d) / 4)


def halfway(d, rows):
    point = np.random.default_rng(0).normal(size=d)
    return np.repeat(0.5 * point[None] / np.linalg.norm(point), rows, axis=0)


BALL = "fraclap(u, s, kind=integral, support=ball)"


def test_a_hundred_dimensions_by_random_directions():
    """16 estimates of 32 directions with 28 nodes each: scattered by less than 2e-3, and unbiased."""
    d, s = 100, 0.75
    found = residual_of(
        "x[1..100] in [-1, 1]", BALL, f"= {s}", lambda z: (1 - z @ z) ** (1 + s), halfway(d, 16),
        key=jax.random.key(1),
    )  # fmt: skip
    spread = float(jnp.std(found)) / above(d, s)
    assert spread < 2.5e-3
    assert abs(float(found.mean()) / above(d, s) - 1) < spread


@pytest.mark.parametrize("method", ["uniform", "sobol"])
def test_samples_fill_the_ball_evenly(method):
    """Half of the points of a ball in three dimensions are within 2^(-1/3) of its radius."""
    spec = SPEC.format(axes="x in [0, 2]; y in [-1, 1]; z in [-2, 2]", term=BALL, order="= 0.5", boundary="")
    batch = nablax.parse(spec).sample(jax.random.key(0), {"equation": 1024}, method)["equation"]
    size = np.sqrt((batch["x"] - 1) ** 2 + batch["y"] ** 2 + batch["z"] ** 2)
    assert size.max() < 1
    assert abs(np.mean(size < 2 ** (-1 / 3)) - 0.5) < 0.05


def test_points_outside_the_ball():
    problem = nablax.parse(SPEC.format(axes=SQUARE, term=BALL, order="= 0.5", boundary=""))
    field = nablax.field(problem, lambda _, z: jnp.sum(z, keepdims=True), ())
    points = np.array([[0.5, 0.5], [0.8, 0.8], [-0.9, 0.9]])
    words = r"2 of the equation points lie outside the domain: .* = 1\.13137 is not in \[0, 1\]"
    residual = problem.residual(field)
    with pytest.raises(ValueError, match=words):
        residual((), points)
    with pytest.raises(ValueError, match=words):
        problem.losses(field)((), {"equation": points})
    on_it = jnp.array([[0.6, 0.8], [0.28, 0.96]], jnp.float32)
    check_balls(problem.system.problem, residual.evaluation, on_it, "equation")


def test_losses_of_random_directions_are_products_of_two_draws():
    d, s = 5, 0.75
    spec = SPEC.format(
        axes=f"x[1..{d}] in [-1, 1]", term=f"{BALL} - {above(d, s)}", order=f"= {s}",
        boundary="train { quadrature = rays(6, 8) }",
    )  # fmt: skip
    problem = nablax.parse(spec)
    field = nablax.field(problem, lambda _, z: ((1 - z @ z) ** (1 + s))[None], ())
    points = halfway(d, 64)
    with pytest.raises(ValueError, match="8 directions are drawn for each point: give a key"):
        problem.residual(field)((), points)
    square = float(jnp.mean(problem.residual(field)((), points, jax.random.key(7))["equation/u"] ** 2))
    losses = jax.jit(problem.losses(field))
    draws = [float(losses((), {"equation": points}, key=jax.random.key(k))["equation/u"]) for k in range(6)]
    assert min(draws) < 0 < max(draws)
    assert abs(np.mean(draws)) < 0.3 * square  # the mean of one draw's square


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32])
def test_periodic_fields(dtype):
    tolerance = 1e-12 if dtype == jnp.float64 else 2e-6
    axes = "x in [0, 2*pi] periodic; y in [0, 2] periodic"
    points = np.random.default_rng(4).uniform(0, 2, (4, 2))
    value = np.cos(3 * points[:, 0]) * np.sin(2 * np.pi * points[:, 1])
    square = 9 + 4 * np.pi**2
    for term, factor in (
        ("fraclap(u, s)", square**0.7),
        ("riesz(u, y, s)", -((2 * np.pi) ** 0.7)),
        ("fraclap(dyy(u), s)", -4 * np.pi**2 * square**0.7),
    ):
        found = residual_of(
            axes, term, "= 0.7", lambda z: jnp.cos(3 * z[0]) * jnp.sin(2 * jnp.pi * z[1]), points, dtype
        )
        np.testing.assert_allclose(found, factor * value, atol=tolerance * abs(factor))


def test_the_spectral_kind_mirrors_the_field_at_its_walls():
    axes = "x in [0, 1]; y in [0, 2]; q in [0, 1] periodic"
    boundary = "boundary { x=0: u = 0; x=1: u = 0; y=0: u = 0; y=2: dn(u) = 0 }"
    points = np.random.default_rng(5).uniform(0, 1, (4, 3))

    def mode(z):
        return jnp.sin(2 * jnp.pi * z[0]) * jnp.sin(0.75 * jnp.pi * z[1]) * jnp.cos(2 * jnp.pi * z[2])

    found = residual_of(axes, "fraclap(u, s, kind=spectral)", "= 0.7", mode, points, boundary=boundary)
    scale = ((4 + 0.75**2 + 4) * np.pi**2) ** 0.7
    np.testing.assert_allclose(found, scale * jax.vmap(mode)(jnp.asarray(points)), atol=1e-12 * scale)


def test_a_known_field_outside():
    """u = 1 inside and outside is constant, and its fractional Laplacian zero."""
    found = residual_of(
        "x in [-1, 1]", "fraclap(u, s, kind=integral, exterior=1)", "= 0.7",
        lambda z: 1 + 0 * z[0], np.array([[-0.9], [0.0], [0.4]]), boundary="boundary { all: u = 1 }",
    )  # fmt: skip
    np.testing.assert_allclose(found, 0, atol=1e-12)
