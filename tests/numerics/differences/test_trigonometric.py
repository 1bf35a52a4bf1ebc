"""Sine and cosine transforms: inverse pairs, and eigenvectors of the second difference."""

from typing import get_args

import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.differences.bases import DENSE, derivative_matrix, mirrored
from nablax.backends.differences.steady import SteadyDifferences
from nablax.backends.differences.trigonometric import Kind, angles, backward, forward
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

WALLS = {"sine": ("u = 0",) * 2, "cosine": ("dn(u) = 0",) * 2, "sine-cosine": ("u = 0", "dn(u) = 0")}
WALLS["cosine-sine"] = WALLS["sine-cosine"][::-1]


def made(kind: Kind, n: int, order: int = 2) -> SteadySolver:
    lower, upper = WALLS[kind]
    text = f"""
    space {{ x in [0, 1] }}
    fields {{ u }}
    equations {{ dxx(u) - u = sin(3*x) }}
    boundary {{ x = 0: {lower}; x = 1: {upper} }}
    solve {{ n = {n}; order = {order} }}
    """
    found = parse(text).compile()
    assert isinstance(found, SteadySolver)
    return found


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("n", [8, 9])
def test_modes_are_eigenvectors(kind: Kind, n: int) -> None:
    solver = made(kind, n)
    scheme = solver.scheme
    assert isinstance(scheme, SteadyDifferences)
    (axis,), place = solver.plan.grid, scheme.scheme.nodes.places[0]
    walls = place.walls[0]
    assert walls is not None
    assert mirrored(walls, [2], 2)
    inner = slice(*place.evolving[0])
    matrix = derivative_matrix(2, 2, axis, walls, [[[1.0]] * len(w.conditions) for w in walls])[inner, inner]
    vectors = np.asarray(backward(kind, jnp.eye(len(matrix)), 0))
    values = (2 * np.cos(angles(kind, n)) - 2) / axis.spacing**2
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=1e-9)
    assert scheme.elliptic.kind.direct


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("shape", [(7,), (7, 3), (2, 7, 3)])
def test_inverse_pairs(kind: Kind, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    axis = shape.index(7)
    for values in (random.standard_normal(shape), random.standard_normal(shape) * (1 + 2j)):
        there = forward(kind, jnp.asarray(values), axis)
        assert there.dtype == values.dtype
        np.testing.assert_allclose(backward(kind, there, axis), values, atol=1e-13)


@pytest.mark.parametrize("order", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_long_axes_are_solved_without_a_dense_matrix(order: int) -> None:
    solver = made("sine-cosine", 2 * DENSE, order)
    scheme = solver.scheme
    assert isinstance(scheme, SteadyDifferences)
    (group,) = scheme.elliptic._groups
    assert group.bases[0].forward is None
    assert not group.exact
    x = np.linspace(0, 1, 2 * DENSE + 1)
    # u'' - u = sin(3x), u(0) = 0, u'(1) = 0
    exact = -np.sin(3 * x) / 10 + 0.3 * np.cos(3) / np.cosh(1) * np.sinh(x)
    np.testing.assert_allclose(solver.solve().fields["u"], exact, atol=1e-10)
