"""What networks and formulas are made of: every function to fourth order against nested forward mode."""

from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nablax.backends.taylor import propagate
from nablax.derivatives.algebra import univariate

S = jnp.sum
POINT, DIRECTION = (0.3, 0.7), (1.0, 0.5)

FUNCTIONS = {
    "tanh": lambda x: S(jnp.tanh(x)),
    "sin": lambda x: S(jnp.sin(x)),
    "jit": jax.jit(lambda x: S(jnp.tanh(x))),
    "gelu": lambda x: S(jax.nn.gelu(x)),
    "gelu exact": lambda x: S(jax.nn.gelu(x, approximate=False)),
    "silu": lambda x: S(jax.nn.silu(x)),
    "softplus": lambda x: S(jax.nn.softplus(x)),
    "logaddexp": lambda x: jnp.logaddexp(x[0], x[1]),
    "logsumexp": lambda x: jax.nn.logsumexp(x),
    "softmax": lambda x: S(jax.nn.softmax(x) ** 2),
    "relu": lambda x: S(jax.nn.relu(x)),
    "relu cubed": lambda x: S(jax.nn.relu(x) ** 3),
    "elu": lambda x: S(jax.nn.elu(x)),
    "selu": lambda x: S(jax.nn.selu(x)),
    "leaky relu": lambda x: S(jax.nn.leaky_relu(x)),
    "mish": lambda x: S(jax.nn.mish(x)),
    "tan": lambda x: S(jnp.tan(x)),
    "arcsin": lambda x: S(jnp.arcsin(x)),
    "arctan": lambda x: S(jnp.arctan(x)),
    "sinh": lambda x: S(jnp.sinh(x)),
    "sqrt": lambda x: S(jnp.sqrt(x)),
    "norm": lambda x: jnp.linalg.norm(x),
    "cube": lambda x: S(x**3),
    "cube of negative": lambda x: S((-x) ** 3),
    "inverse square": lambda x: S(x**-2),
    "real power": lambda x: S(x**2.5),
    "real power of negative": lambda x: S(lax.pow(-x, 2.0)),
    "power of two arguments": lambda x: x[0] ** x[1],
    "exp2": lambda x: S(jnp.exp2(x)),
    "log2": lambda x: S(jnp.log2(x)),
    "cbrt": lambda x: S(jnp.cbrt(x)),
    "lgamma": lambda x: S(lax.lgamma(x)),
    "erf": lambda x: S(lax.erf(x)),
    "bessel": lambda x: S(lax.bessel_i0e(x)),
    "sinc": lambda x: S(jnp.sinc(x)),
    "sinc at zero": lambda x: S(jnp.sinc(x - x)),
    "prod": lambda x: jnp.prod(x),
    "cumsum": lambda x: S(jnp.cumsum(x) ** 2),
    "cumprod": lambda x: S(jnp.cumprod(x)),
    "cumlogsumexp": lambda x: lax.cumlogsumexp(x)[1],
    "cummax": lambda x: S(lax.cummax(x) ** 2),
    "max": lambda x: jnp.max(x**2),
    "maximum": lambda x: jnp.maximum(x[0] ** 2, x[1]),
    "tie": lambda x: jnp.maximum(x[0] ** 2, x[0] ** 2 + 0 * x[1]),
    "clip": lambda x: S(jnp.clip(x, 0.0, 0.5) ** 2),
    "clip by itself": lambda x: lax.clamp(x[0], 0.1, x[1]) ** 2,
    "where": lambda x: S(jnp.where(x > 0.5, jnp.sin(x), x**2)),
    "sort": lambda x: S(jnp.sort(x**2) * jnp.arange(2.0)),
    "argmax": lambda x: x[jnp.argmax(x)] ** 2,
    "top k": lambda x: lax.top_k(x**2, 1)[0][0],
    "gather": lambda x: x[jnp.array([1, 0])][0] ** 2,
    "dynamic slice": lambda x: lax.dynamic_slice(x, (0,), (1,))[0] ** 2,
    "set": lambda x: S(jnp.zeros(3).at[0].set(x[0]) ** 2),
    "add at": lambda x: S(jnp.zeros(3).at[0].add(x[0]) ** 2),
    "add a number at": lambda x: S(jnp.sin(x.at[0].add(0.5)) ** 2),
    "set a number at": lambda x: S(jnp.sin(x.at[0].set(0.5)) * x),
    "dynamic update": lambda x: S(lax.dynamic_update_slice(jnp.zeros(3), x, (1,)) ** 2),
    "scan": lambda x: lax.scan(lambda c, _: (jnp.sin(c), None), S(x), None, length=3)[0],
    "scan over slices": lambda x: S(lax.scan(lambda c, a: (c * a + 1, jnp.sin(c)), x[0], x, reverse=True)[1]),
    "fori loop": lambda x: lax.fori_loop(0, 3, lambda i, c: jnp.sin(c), S(x)),
    "while loop": lambda x: lax.while_loop(
        lambda c: c[0] < 2, lambda c: (c[0] + S(x), c[1] * x[1]), (0.0, x[0])
    )[1],
    "cond": lambda x: lax.cond(x[0] > 0, lambda a: S(jnp.sin(a)), lambda a: S(a), x),
    "switch": lambda x: lax.switch(1, [lambda a: 1.0, lambda a: S(a**2), lambda a: a[0]], x),
    "checkpoint": jax.checkpoint(lambda x: S(jnp.sin(x))),
    "vmap": lambda x: S(jax.vmap(jnp.sin)(x)),
    "solve": lambda x: S(jnp.linalg.solve(jnp.array([[2.0, 0.1], [0.1, 1.0]]) * (1 + x[0]), x)),
    "inverse": lambda x: S(jnp.linalg.inv(jnp.eye(2) * (1 + x[0]))),
    "determinant": lambda x: jnp.linalg.det(jnp.array([[2.0, 0.1], [0.1, 1.0]]) * (1 + x[0] ** 2)),
    "cholesky": lambda x: S(jnp.linalg.cholesky(jnp.eye(2) * (1 + x[0] ** 2))),
    "convolve": lambda x: S(jnp.convolve(x, x + 1) ** 2),
    "fft": lambda x: S(jnp.abs(jnp.fft.rfft(x)) ** 2),
    "einsum": lambda x: jnp.einsum("i,i->", x, x),
    "grad inside": lambda x: S(jax.grad(lambda y: S(jnp.tanh(y) ** 3))(x)),
    "jvp inside": lambda x: jax.jvp(lambda y: S(jnp.tanh(y) ** 3), (x,), (jnp.array(DIRECTION),))[1],
    "dropout": lambda x: S(jnp.where(jax.random.bernoulli(jax.random.key(0), 0.5, (2,)), x**2, 0)),
    "abs": lambda x: S(jnp.abs(x - 0.5) ** 3),
    "arctan2": lambda x: jnp.arctan2(x[0], x[1]),
    "mod": lambda x: S(jnp.mod(x, 1.0) ** 2),
    "remainder of both": lambda x: lax.rem(3 * x[1], x[0]) ** 2,
    "variance": lambda x: jnp.var(x) * S(x),
    "quotient": lambda x: x[0] ** 2 / (1 + x[1] ** 3),
    "complex": lambda x: jnp.abs(jnp.exp(lax.complex(x[1], x[0])) + 1) ** 3,
    "floor": lambda x: S(jnp.floor(3 * x) * x**2),
    "stopped": lambda x: S(lax.stop_gradient(x) * x**2),
    "barrier": lambda x: S(lax.optimization_barrier(x) ** 2),
    "map": lambda x: S(lax.map(jnp.sin, x)),
}


HEAVY = ["inverse", "convolve", "complex", "argmax", "fft", "sort", "map", "cholesky", "solve", "determinant"]
"""Slow to compile one operation at a time."""


def along(function, direction):
    return lambda point: jax.jvp(function, (point,), (direction,))[1]


def agree(result, expected):
    """Equal up to rounding, relative to the largest entry."""
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= 1e-9 * (1e-3 + np.abs(expected).max())


def derivatives(function, point, direction, order):
    """f, f', .. along the line."""
    found = [function]
    for _ in range(order):
        found.append(along(found[-1], direction))

    def evaluated(p):
        return [derivative(p) for derivative in found]

    # One operation at a time, which the functions share, is quick for the lower orders alone.
    return (evaluated if order <= 2 else jax.jit(evaluated))(point)


def check(name, order):
    function, point, direction = FUNCTIONS[name], jnp.array(POINT), jnp.array(DIRECTION)
    result = propagate(function, point, (direction,), univariate(order))
    for k, expected in enumerate(derivatives(function, point, direction, order)):
        agree(factorial(k) * result[k], expected)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in HEAVY])
def test_second_derivatives(name):
    check(name, 2)


@pytest.mark.slow
@pytest.mark.brief
@pytest.mark.parametrize("name", FUNCTIONS)
def test_fourth_derivatives(name):
    check(name, 3 if name in ("solve", "inverse", "determinant", "cholesky") else 4)


def test_conversion_to_another_precision_keeps_the_series():
    def half(x):
        return S(x.astype(jnp.bfloat16).astype(jnp.float64) ** 2)

    result = propagate(half, jnp.array(POINT), (jnp.array(DIRECTION),), univariate(2))
    agree(result[2], 1.25)


def test_pytrees_in_and_out():
    def function(p):
        return {"product": p["a"] * p["b"][0][0], "other": (p["a"] ** 2,)}

    point = {"a": jnp.array(2.0), "b": [jnp.array([3.0, 4.0])]}
    direction = {"a": jnp.array(1.0), "b": [None]}
    first = propagate(function, point, (direction,), univariate(1))[1]
    np.testing.assert_array_equal(first["product"], 3.0)
    np.testing.assert_array_equal(first["other"][0], 4.0)


def test_a_function_of_nothing_that_moves_has_zero_coefficients():
    result = propagate(lambda x: jnp.ones(3, jnp.float32), jnp.array(1.0), (jnp.array(1.0),), univariate(2))
    assert [c.dtype for c in result] == [jnp.float32] * 3
    np.testing.assert_array_equal(result[1], np.zeros(3))


@pytest.mark.parametrize(
    ("directions", "message"),
    [((), "0 directions for 1 generators"), (((jnp.ones(2), jnp.ones(2)),), "a direction of structure")],
)
def test_directions_that_do_not_fit_are_refused(directions, message):
    with pytest.raises(ValueError, match=message):
        propagate(jnp.sum, jnp.ones(2), directions, univariate(2))
