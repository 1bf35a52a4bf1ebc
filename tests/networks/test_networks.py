"""Networks from the text: shapes, periodicity, derivatives, ensembles."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core

import nablax
from nablax.backends.networks.inputs import Coordinate, Inputs
from nablax.backends.networks.ternary import Ternary
from nablax.backends.taylor import transform
from nablax.backends.taylor.derivation import fallback
from nablax.backends.taylor.element import Element
from nablax.backends.taylor.interpreter import Scope
from nablax.derivatives.algebra import univariate

pytestmark = pytest.mark.brief

SPEC = """
space { x in [1, 3] periodic; y in [0, 2] }
time { t in [0, 4] }
fields { u; psi: complex }
params { C(x) ~ 0.5 in [0.1, 2] }
equations { dt(u) = dxx(u) + C*dyy(u); dt(psi) = i*dyy(psi) }
initial { u = 0; psi = y*(2 - y) }
boundary { y = 0: u = 0, psi = 0; y = 2: u = 0, psi = 0 }
train { model = MODEL }
"""
SHORT = """
space { x in [0, 1] }
fields { u }
equations { dxx(u) = 1 }
boundary { all: u = 0 }
train { model = MODEL }
"""
MODELS = (
    "mlp(width=8, depth=2, activation=gelu, features=fourier(6, scale=2), harmonics=2)",
    "mlp(width=8, depth=3, activation=softplus, weights=ternary, factorised=normal(0.5, 0.2))",
    "modified_mlp(width=8, depth=2, act=sin)",
    "pirate(width=8, blocks=1, features=fourier(3), activation=swish)",
    "separable(width=6, depth=2, rank=5, features=fourier(3), activation=sigmoid)",
)


def problem(model: str) -> nablax.Problem:
    return nablax.parse(SPEC.replace("MODEL", model))


@pytest.mark.parametrize("model", MODELS)
def test_every_network_is_periodic_and_differentiated_by_rules(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = problem(model).network(jax.random.key(0))
    net = field.params["net"]
    z = jnp.array([1.3, 0.4, 2.5])
    without_rule: list[str] = []

    def recorded(scope: Scope, equation: core.JaxprEqn, inputs: Sequence[Element]) -> Sequence[Element]:
        if any(jnp.issubdtype(v.aval.dtype, jnp.inexact) for v in equation.outvars):
            without_rule.append(equation.primitive.name)
        return fallback(scope, equation, inputs)

    monkeypatch.setattr(transform, "fallback", recorded)
    jax.eval_shape(lambda z: transform.propagate(lambda y: field.call(net, y), z, [z], univariate(3)), z)
    assert not without_rule

    @jax.jit
    def values(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        return field.call(net, z), jax.jacfwd(field.call, 1)(net, z)

    value, slope = values(z)
    assert value.shape == (3,)
    assert float(jnp.abs(slope).max(axis=0).min()) > 0, "every coordinate enters"
    for a, b in zip((value, slope), values(z.at[0].add(2.0)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("model", [MODELS[1], MODELS[4]])
def test_unknown_fields_begin_at_their_start_value(model: str) -> None:
    field = problem(model).network(jax.random.key(3))
    params = field.params["eq"]["C"]
    value, slope = jax.jit(jax.value_and_grad(lambda p: field.coefficients["C"](p, jnp.array([1.7]))[0]))(
        params
    )
    assert float(value) == 0
    assert any(float(jnp.abs(g).max()) > 0 for g in jax.tree.leaves(slope))


def test_coordinates_are_scaled_to_one() -> None:
    coordinates = (Coordinate(0, 1, 1.0, 3.0, True), Coordinate(1, 2, -4.0, 0.0, False))
    found = Inputs(coordinates, 2)(jnp.array([1.5, -4.0, -1.0]))
    np.testing.assert_allclose(found, [0, -1, 1, 0, -1, 0.5], atol=1e-15)


@pytest.mark.slow
def test_ensembles_by_vmap() -> None:
    spec = nablax.parse(SHORT.replace("MODEL", "modified_mlp(width=4, depth=1, factorised=on)"))
    keys = jax.random.split(jax.random.key(0), 3)
    field = spec.network(keys[0])
    members = jax.jit(jax.vmap(lambda key: spec.network(key).params))(keys)
    z = jnp.array([0.4])
    together = jax.vmap(field.call, (0, None))(members, z)
    np.testing.assert_allclose(together[0], field.call(field.params, z), rtol=1e-10)
    assert float(jnp.abs(together[1] - together[2]).min()) > 0


@pytest.mark.slow
def test_residuals_of_a_built_network() -> None:
    spec = problem("modified_mlp(width=4, depth=1)")
    field = spec.network(jax.random.key(0))
    z = jnp.array([[1.3, 0.4, 2.5]])
    planned, nested = (
        jax.jit(spec.residual(field, derivatives=mode))(field.params, z) for mode in (None, "nested")
    )
    for name in planned:
        np.testing.assert_allclose(planned[name], nested[name], rtol=1e-9, atol=1e-11)


def test_a_text_beside_the_spec() -> None:
    spec = nablax.parse(SHORT.replace("MODEL", "mlp"))
    field = spec.network(jax.random.key(0), "separable(width=5, depth=1, rank=3)")
    assert field.call(field.params, jnp.ones(1)).shape == (1,)
    with pytest.raises(nablax.SpecError, match="is no network"):
        spec.network(jax.random.key(0), "perceptron(width=5)")
    with pytest.raises(nablax.SpecError, match="cannot be read"):
        spec.network(jax.random.key(0), "mlp(width=")


def test_ternary_weights_are_three_numbers() -> None:
    layer = Ternary(jax.random.normal(jax.random.key(0), (20, 30)))
    digits, scale = layer.digits()
    assert set(np.unique(digits)) == {-1.0, 0.0, 1.0}
    np.testing.assert_allclose(layer.matrix(), scale * digits, rtol=1e-12)
    factor = jax.random.normal(jax.random.key(1), (20, 30))
    slope = jax.grad(lambda w: jnp.sum(Ternary(w).matrix() * factor))(layer.latent)
    np.testing.assert_allclose(slope, factor)
