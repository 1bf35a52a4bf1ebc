"""Several directions, mixed monomials, collapsed sums: every kind of algebra against nested forward mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nablax.backends.taylor import propagate
from nablax.derivatives.algebra import directions, downset, univariate
from nablax.derivatives.inverse_system import minimal

WEIGHTS = np.linspace(-1.0, 1.0, 15).reshape(5, 3)
POINT = np.array([0.3, -0.2, 0.5])
ALGEBRAS = {
    "line": univariate(3),
    "mixed": downset([(1, 2)]),
    "biharmonic": minimal([{(4, 0): 1, (2, 2): 2, (0, 4): 1}]),
    "collapsed": directions(3, 3, [1, 2, -0.5]),
    "apart": directions(2, 2),
    "heat": minimal([{(1, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1}, {(0, 1, 0): 1}]),
    "stacked": directions(3, 2, stacked=True),
    "stacked and collapsed": directions(3, 3, [1, 2, -0.5], stacked=True),
}


def network(p):
    return jnp.tanh(jnp.sin(WEIGHTS @ p) @ np.full((5, 2), 0.3)) * p[0]


def formula(p):
    return jax.nn.softplus(p[0] * p[1]) + jnp.exp(p[2]) / (1 + p[0] ** 2) + jnp.arctan2(p[0], p[1])


def system(p):
    matrix = 3 * jnp.eye(3) + jnp.outer(p, p)
    return jnp.linalg.solve(matrix, jnp.sin(p)) + jnp.linalg.cholesky(matrix)[2]


def loop(p):
    return lax.scan(lambda c, a: (jnp.sin(c) * a + p, c * a), p, p)[1]


def applied(operator, function, point, along):
    """(P f)(point), one forward-mode derivative inside the other."""
    total = 0
    for word, weight in operator.items():
        derivative = function
        for g in word:
            derivative = (lambda f, v: lambda p: jax.jvp(f, (p,), (v,))[1])(derivative, along[g])
        total = total + float(weight) * derivative(point)
    return total


def expected(algebra, k, function, point, along):
    operator = algebra.operators[k]
    if not algebra.lanes or not k:
        return applied(operator, function, point, along)
    lanes = [
        applied({(r,) * len(word): w for word, w in operator.items()}, function, point, along)
        for r in range(algebra.lanes)
    ]
    if algebra.has_lanes(k):
        return jnp.stack(lanes)
    return sum(float(w) * lane for w, lane in zip(algebra.lane_weights, lanes, strict=True))


def check(kind, function):
    algebra, point = ALGEBRAS[kind], jnp.asarray(POINT)
    along = [jnp.asarray(v) for v in np.random.default_rng(0).normal(size=(algebra.generators, 3))]
    given = (jnp.stack(along),) if algebra.lanes else along
    result = jax.jit(lambda p: propagate(function, p, given, algebra))(point)
    # One program for the reference: nested derivatives one operation at a time are slow.
    reference = jax.jit(lambda p: [expected(algebra, k, function, p, along) for k in range(algebra.size)])
    for value, exact in zip(result, reference(point), strict=True):
        np.testing.assert_allclose(value, exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", ["mixed", "heat", "stacked and collapsed"])
def test_a_network(kind):
    check(kind, network)


@pytest.mark.slow
@pytest.mark.brief
@pytest.mark.parametrize("function", [network, formula, system, loop])
@pytest.mark.parametrize("kind", ALGEBRAS)
def test_all_kinds(kind, function):
    check(kind, function)
