"""Networks that are not smooth enough for the order are refused in words."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import nablax

THIRD = (
    "space { x in [0, 1] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
    "equations { dt(u) + u*dx(u) + dxxx(u) = 0 }\ninitial { u = 0 }\n"
)
ADVECTION = THIRD.replace(" + dxxx(u)", "")


def ask(text, activation):
    problem = nablax.parse(text)
    field = nablax.field(problem, eqx.nn.MLP(2, 1, 8, 2, activation, key=jax.random.key(0)))
    return jax.eval_shape(problem.residual(field), field.params, jnp.ones((3, 2)))


@pytest.mark.parametrize(
    "activation", [jax.nn.relu, lambda x: jnp.maximum(x, 0.0), jnp.abs, jax.nn.leaky_relu]
)
def test_kinks_under_a_third_derivative(activation):
    if activation is jax.nn.leaky_relu:
        ask(THIRD, activation)  # a choice by values: nothing is known of it
        return
    with pytest.raises(ValueError, match=r"not smooth enough.*no second derivative.*order 3"):
        ask(THIRD, activation)
    ask(ADVECTION, activation)


@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.softplus, jax.nn.gelu, jax.nn.swish, jnp.sin])
def test_smooth_activations(activation):
    ask(THIRD, activation)


def test_powers_of_relu():
    with pytest.raises(ValueError, match="no third derivative"):
        ask(THIRD, lambda x: jax.nn.relu(x) ** 2)
    ask(THIRD, lambda x: jax.nn.relu(x) ** 3)


def test_jumps():
    with pytest.raises(ValueError, match="`sign` it has no first derivative"):
        ask(ADVECTION, jnp.sign)
