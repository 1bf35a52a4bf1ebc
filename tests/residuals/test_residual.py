"""Residuals of networks, straight from the text."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import nablax

BURGERS = """
space {{ x in [0, 2*pi] periodic }}
time {{ t in [0, 2] }}
fields {{ u }}
params {{ {params} }}
equations {{ dt(u) + u*dx(u) = nu*dxx(u) }}
initial {{ u = sin(x) }}
"""


def mlp(inputs: int, outputs: int, seed: int = 0) -> eqx.nn.MLP:
    return eqx.nn.MLP(inputs, outputs, 16, 2, jnp.tanh, key=jax.random.key(seed))


def by_hand(net, nu, points):
    def one(z):
        def u(x, t):
            return net(jnp.stack([x, t]))[0]

        x, t = z
        return jax.grad(u, 1)(x, t) + u(x, t) * jax.grad(u)(x, t) - nu * jax.grad(jax.grad(u))(x, t)

    return jax.vmap(one)(points)


def points(count: int, axes: int, seed: int = 1) -> jax.Array:
    return jax.random.uniform(jax.random.key(seed), (count, axes))


def test_burgers_on_an_equinox_network():
    problem = nablax.parse(BURGERS.format(params="nu = 0.01"))
    net = mlp(2, 1)
    field = nablax.field(problem, net)
    residual = problem.residual(field)
    z = points(32, 2)
    found = jax.jit(residual)(field.params, z)
    assert set(found) == {"equation/u"}
    np.testing.assert_allclose(found["equation/u"], by_hand(net, 0.01, z), rtol=1e-12, atol=1e-13)
    named = residual(field.params, {"x": z[:, 0].reshape(4, 8), "t": z[:, 1].reshape(4, 8)})
    np.testing.assert_allclose(named["equation/u"].ravel(), found["equation/u"], rtol=1e-12, atol=1e-13)


def test_unknown_parameters_are_leaves():
    problem = nablax.parse(BURGERS.format(params="nu ~ 0.05 in [0, 1]"))
    field = nablax.field(problem, mlp(2, 1))
    residual = problem.residual(field)
    z = points(16, 2)
    assert set(field.params) == {"net", "eq"}

    def loss(params):
        return jnp.mean(residual(params, z)["equation/u"] ** 2)

    slope = jax.grad(loss)(field.params)["eq"]["nu"]
    step = 1e-6
    moved = [
        loss({"net": field.params["net"], "eq": {"nu": field.params["eq"]["nu"] + s}}) for s in (-step, step)
    ]
    np.testing.assert_allclose(slope, (moved[1] - moved[0]) / (2 * step), rtol=1e-6)
