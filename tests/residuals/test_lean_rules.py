"""Rules that read the derivatives below that of the integral: few nodes in single precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.derivatives import birkhoff, quadrature

SPEC = """
space {{ x in [0, 1] }}
time {{ y in [0, 2] }}
fields {{ u }}
params {{ a {value} }}
equations {{ {operator} = 0 }}
initial {{ {starts} }}
boundary {{ all: u = 0 }}
"""
STARTS = ("u = 0", "dy(u) = 0", "dyy(u) = 0")
POINTS = np.random.default_rng(0).uniform([0, 0], [1, 2], (256, 2))


def residual_of(operator, value="= 1.5", starts=2):
    """`starts` is the order in y."""
    given = "; ".join(STARTS[:starts])
    problem = nablax.parse(SPEC.format(operator=operator, value=value, starts=given))
    field = nablax.field(problem, lambda _, z: (jnp.sin(2 * z[1] + 1) * jnp.cos(3 * z[0]))[None], ())
    return problem.residual(field)


def values(residual, points, dtype):
    found = jax.jit(residual)(residual.field.params, jnp.asarray(points, dtype))["equation/u"]
    assert found.dtype == dtype
    return np.asarray(found, float)


def apart(residual, points):
    """Root mean square of what single precision leaves, over that of the operator."""
    single, double = (values(residual, points, dtype) for dtype in (jnp.float32, jnp.float64))
    return float(np.sqrt(np.mean((single - double) ** 2) / np.mean(double**2)))


def places(residual):
    single = residual.evaluation.single
    return [len(g.place.nodes.places) for g in single.remote if g.place.nodes is not None]


@pytest.mark.parametrize(
    ("operator", "starts"),
    [
        ("caputo(u, y, 1.1)", 2),
        ("caputo(u, y, 1.9)", 2),
        ("caputo(u, y, 2.5)", 3),
        ("tempered(u, y, 1.5, 0.7)", 2),
        ("dy(u) + caputo(u, x, 1.5, side=right)", 1),
    ],
)
def test_three_nodes_suffice_in_single_precision(operator, starts):
    residual = residual_of(operator, starts=starts)
    assert apart(residual, POINTS) < 5e-6
    assert places(residual) == [3]


def test_short_ways_magnify_no_rounding():
    """At every distance from the base, relative to the operator there: lower derivatives would be divided
    by the distance and its square."""
    residual = residual_of("caputo(u, y, 1.5)")
    for y in np.geomspace(1e-4, 2, 12):
        points = np.stack([np.linspace(0.1, 0.4, 9), np.full(9, y)], axis=1)
        assert apart(residual, points) < 1e-5, y


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("caputo(u, y, a)", "~ 1.5 in [1.1, 1.9]"),
        ("caputo(u, y, a) + caputo(u, y, 1.2)", "= 1.5"),
        ("caputo(u, y, a) + fracint(u, y, a - 1)", "= 1.5"),
        ("caputo(u, y, a) + caputo(u, y, a - 1)", "= 1.5"),
    ],
)
def test_a_line_with_anything_else_along_it_keeps_slopes_alone(operator, value):
    assert all(count > 3 for count in places(residual_of(operator, value)))


@pytest.mark.parametrize("exponent", [-0.9, -0.5, -0.03])
def test_weights_do_not_see_constants_of_integration(exponent):
    """Any antiderivative serves; h = 1 and h = τ are integrated closely on lines of every length."""
    shares = np.asarray(birkhoff.nodes(3, exponent, 2))
    found = birkhoff.weights(tuple(shares), 2, exponent)
    for level in found:
        assert abs(level[2].sum()) < 1e-8
        assert abs(level[1].sum() + level[2] @ shares) < 1e-8
        for k, expected in ((0, 1 / (exponent + 1)), (1, 1 / (exponent + 2))):
            data = [shares**k, shares ** (k + 1) / (k + 1), shares ** (k + 2) / ((k + 1) * (k + 2))]
            total = sum(w @ d for w, d in zip(level, data, strict=True))
            assert total == pytest.approx(expected, rel=1e-5)


def test_lean_rules_converge_faster_than_gauss_with_as_many_nodes():
    """Of ∫ τ^(-1/2) cos 4τ dτ; the reference is Gauss's rule with 20 nodes."""
    exact = quadrature.nodes(20, -0.5)
    expected = quadrature.weights(quadrature.Nodes(exact), -0.5) @ np.cos(4 * np.asarray(exact))
    lean = np.asarray(birkhoff.nodes(3, -0.5, 2))
    data = np.stack([np.cos(4 * lean), np.sin(4 * lean) / 4, -np.cos(4 * lean) / 16])
    gauss = np.asarray(quadrature.nodes(3, -0.5))
    plain = quadrature.weights(quadrature.Nodes(tuple(gauss)), -0.5) @ np.cos(4 * gauss)
    assert abs((birkhoff.weights(tuple(lean), 2, -0.5)[0] * data).sum() - expected) < 1e-5
    assert abs(plain - expected) > 5e-4
