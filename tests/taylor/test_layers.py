"""Layers of networks, equinox's own among them, to third order against nested forward mode."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nablax.backends.taylor import propagate
from nablax.derivatives.algebra import univariate

IMAGE = np.sin(np.arange(2 * 6 * 6)).reshape(2, 6, 6)
TOKENS = np.sin(np.arange(3 * 4)).reshape(3, 4)


def convolution(x):
    kernel = jnp.cos(x[:1, None, :3, :3])
    both = lax.conv_general_dilated(x[None, :1], kernel, (1, 1), "SAME")
    pooled = lax.reduce_window(jnp.tanh(both), -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return pooled + lax.reduce_window(both, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def attention(x):
    weights = jax.nn.softmax(x @ x.T / 2, axis=-1)
    return weights @ jnp.sin(x)


def normalisation(x):
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    return centred * lax.rsqrt(jnp.var(x, axis=-1, keepdims=True) + 1e-5)


def own_attention():
    attend = eqx.nn.MultiheadAttention(2, 4, key=jax.random.key(0))
    return lambda x: attend(x, x, x)


def own_cell():
    cell = eqx.nn.GRUCell(4, 4, key=jax.random.key(0))
    return lambda x: cell(x[0], x[1])


LAYERS = {  # how each is built: when its test runs, as drawing weights compiles
    "convolution": (lambda: convolution, IMAGE),
    "attention": (lambda: attention, TOKENS),
    "normalisation": (lambda: normalisation, TOKENS),
    "eqx.nn.MLP": (lambda: eqx.nn.MLP(4, 2, 5, 2, jnp.tanh, key=jax.random.key(0)), TOKENS[0]),
    "eqx.nn.Conv2d": (lambda: eqx.nn.Conv2d(2, 2, 3, key=jax.random.key(0)), IMAGE),
    "eqx.nn.LayerNorm": (lambda: eqx.nn.LayerNorm(4), TOKENS[0]),
    "eqx.nn.MultiheadAttention": (own_attention, TOKENS),
    "eqx.nn.GRUCell": (own_cell, TOKENS),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    build, given = LAYERS[name]
    layer, x = build(), jnp.asarray(given)
    direction = jnp.cos(x)

    def along(f):
        return lambda p: jax.jvp(f, (p,), (direction,))[1]

    def both(x):
        second = along(along(layer))
        exact = [layer(x), along(layer)(x), second(x) / 2, along(second)(x) / 6]
        return propagate(layer, x, (direction,), univariate(3)), exact

    for value, exact in zip(*jax.jit(both)(x), strict=True):
        np.testing.assert_allclose(value, exact, rtol=1e-9, atol=1e-10)
