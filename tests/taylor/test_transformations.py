"""The transform inside and outside JAX's own transformations, in every precision."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import Mesh, PartitionSpec

from nablax.backends.taylor import propagate
from nablax.derivatives.algebra import directions, univariate
from nablax.derivatives.inverse_system import minimal

PARAMETERS = np.linspace(-1.0, 1.0, 24).reshape(8, 3)
POINTS = np.linspace(-0.5, 0.7, 12).reshape(4, 3)
LAPLACIAN = minimal([{(2, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1}])
AXES = np.eye(3)


def network(parameters, p):
    return jnp.sum(jnp.tanh(jnp.asarray(parameters, p.dtype) @ p) ** 2)


def laplacian(parameters, p):
    axes = [jnp.asarray(axis, p.dtype) for axis in AXES]
    return 2 * propagate(lambda q: network(parameters, q), p, axes, LAPLACIAN)[-1]


def reference(parameters, p):
    return jnp.trace(jax.hessian(lambda q: network(parameters, q))(p))


def loss(of):
    return lambda parameters: jnp.sum(jax.vmap(lambda p: of(parameters, p) ** 2)(jnp.asarray(POINTS)))


def test_reverse_over_it_and_over_that_again():
    parameters = jnp.asarray(PARAMETERS)
    both = [jax.jit(jax.value_and_grad(loss(of)))(parameters) for of in (laplacian, reference)]
    np.testing.assert_allclose(both[0][0], both[1][0], rtol=1e-12)
    np.testing.assert_allclose(both[0][1], both[1][1], rtol=1e-10, atol=1e-12)

    def curvature(of):
        gradient = jax.grad(loss(of))
        return jax.jit(lambda w: jax.jvp(gradient, (w,), (w,))[1])(parameters)

    np.testing.assert_allclose(curvature(laplacian), curvature(reference), rtol=1e-9, atol=1e-10)


def test_inside_scan_remat_and_shard_map():
    parameters, points = jnp.asarray(PARAMETERS), jnp.asarray(POINTS)
    one_by_one = jax.vmap(lambda p: laplacian(parameters, p))(points)
    scanned = lax.scan(lambda c, p: (c, laplacian(parameters, p)), 0, points)[1]
    np.testing.assert_allclose(scanned, one_by_one, rtol=1e-13)
    remat = jax.checkpoint(laplacian)
    np.testing.assert_allclose(
        jax.grad(remat)(parameters, points[0]), jax.grad(laplacian)(parameters, points[0]), rtol=1e-12
    )
    mesh = Mesh(np.array(jax.devices()[:1]), ("points",))
    if hasattr(jax, "shard_map"):
        shard_map = jax.shard_map
    else:
        from jax.experimental.shard_map import shard_map as shard_map_of_old

        # Before jax.shard_map, its check of replication refused constants beside sharded arrays.
        shard_map = partial(shard_map_of_old, check_rep=False)
    spread = shard_map(
        jax.vmap(lambda p: laplacian(parameters, p)),
        mesh=mesh,
        in_specs=PartitionSpec("points"),
        out_specs=PartitionSpec("points"),
    )
    np.testing.assert_allclose(jax.jit(spread)(points), one_by_one, rtol=1e-13)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(jnp.float64, 1e-12), (jnp.float32, 1e-4), (jnp.bfloat16, 0.2)]
)
def test_precisions(dtype, tolerance):
    found = laplacian(PARAMETERS, jnp.asarray(POINTS[1], dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(
        np.float64(found), reference(PARAMETERS, jnp.asarray(POINTS[1])), rtol=tolerance, atol=tolerance
    )


def test_stacked_directions_are_the_separate_ones():
    parameters, p = jnp.asarray(PARAMETERS), jnp.asarray(POINTS[1])
    stacked = directions(3, 2, [2, 2, 2], stacked=True)

    def of(w):
        return propagate(lambda q: network(w, q), p, (jnp.asarray(AXES),), stacked)[-1]

    np.testing.assert_allclose(of(parameters), laplacian(parameters, p), rtol=1e-13)
    np.testing.assert_allclose(jax.grad(of)(parameters), jax.grad(laplacian)(parameters, p), rtol=1e-12)


def test_custom_derivatives_are_honoured():
    @jax.custom_jvp
    def surrogate(x):
        return jnp.sign(x)

    surrogate.defjvp(lambda x, t: (surrogate(x[0]), t[0] * jnp.cos(surrogate(x[0]) + x[0])))

    @jax.custom_vjp
    def scaled(x):
        return x**2

    scaled.defvjp(lambda x: (scaled(x), x), lambda x, c: (5 * x * c,))
    along, x = jnp.float64(1.0), jnp.float64(0.4)
    # y' = cos(y + x), y(0.4) = 1
    c = propagate(surrogate, x, (along,), univariate(2))
    np.testing.assert_allclose(c[1], np.cos(1.4), rtol=1e-14)
    np.testing.assert_allclose(c[2], -np.sin(1.4) * (np.cos(1.4) + 1) / 2, rtol=1e-14)
    c = propagate(scaled, x, (along,), univariate(3))
    np.testing.assert_allclose(c, [0.16, 2.0, 2.5, 0.0], rtol=1e-14)


def count(jaxpr, name=None):
    """Equations of a program, those of its sub-programs among them."""
    total = 0
    for equation in jaxpr.eqns:
        inner = [p for p in equation.params.values() if hasattr(p, "eqns") or hasattr(p, "jaxpr")]
        total += sum(count(getattr(p, "jaxpr", p), name) for p in inner)
        total += equation.primitive.name == name if name else not inner
    return total


def layers(parameters, p):
    for weight in parameters[:-1]:
        p = jnp.tanh(weight @ p)
    return (parameters[-1] @ p)[0]


SIZES = [(6, 2), (6, 6), (6, 6), (6, 6), (1, 6)]


def test_no_zero_is_multiplied():
    """Fourth order: a value and one coefficient in the first layer, five vectors in every other one."""
    parameters = [jnp.ones(size) for size in SIZES]

    def fourth(p):
        return propagate(lambda q: layers(parameters, q), p, (jnp.array([1.0, 0.0]),), univariate(4))[4]

    assert count(jax.make_jaxpr(fourth)(jnp.ones(2)).jaxpr, "dot_general") == 2 + 4 * 5


def test_the_gradient_is_a_third_of_what_nested_gradients_make():
    def fourth(parameters, p):
        return propagate(lambda q: layers(parameters, q), p, (jnp.array([1.0, 0.0]),), univariate(4))[4]

    def nested(parameters, p):
        derivative = layers
        for _ in range(4):
            derivative = (lambda f: lambda w, q: jax.grad(f, argnums=1)(w, q)[0])(derivative)
        return derivative(parameters, p)

    parameters = [jnp.ones(size) for size in SIZES]
    ours, theirs = (
        count(jax.make_jaxpr(jax.grad(lambda w, of=of: of(w, jnp.ones(2)) ** 2))(parameters).jaxpr)
        for of in (fourth, nested)
    )
    assert 3 * ours <= theirs
