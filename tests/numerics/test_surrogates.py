"""Terms with another function's gradient, smoothed black boxes, and weights of three values."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import nablax


@pytest.fixture(autouse=True)
def optimisers_promote():
    """Optax counts its steps in integers."""
    with jax.numpy_dtype_promotion("standard"):
        yield


SOURCE = """
space {{ x in [0, 1] }}
time {{ t in [0, 0.1] }}
fields {{ u }}
params {{ a ~ {start} in [0, 1] }}
equations {{ dt(u) = 0.2*dxx(u) + 5*{term} }}
initial {{ u = 0 }}
boundary {{ all: u = 0 }}
solve {{ n = 40; dt = 0.00125; order = 2; method = fd; step = euler }}
output {{ every = 0.1 }}
"""
STEP = "step(a - x)"
SURROGATE = "surrogate(step(a - x), 1/(1 + exp((x - a)/0.1)))"


def recovered(term: str) -> float:
    """The edge of a source, sought from 0.4 by descent on the solution that it leaves; it is at 0.63."""
    solver = nablax.parse(SOURCE.format(term=term, start=0.4)).compile()

    def final(a: jax.Array) -> jax.Array:
        return solver.solve({"a": a}).fields["u"][-1]

    seen = final(jnp.asarray(0.63))
    rule = optax.adam(0.02)

    def move(carry, _):
        a, state = carry
        slope = jax.grad(lambda a: jnp.sum((final(a) - seen) ** 2))(a)
        updates, state = rule.update(slope, state)
        return (a + updates, state), a

    start = jnp.asarray(0.4)
    _, path = jax.jit(lambda: jax.lax.scan(move, (start, rule.init(start)), length=60))()
    return float(path[-10:].mean())


def test_an_edge_is_found_through_a_step_with_a_surrogate_and_not_without() -> None:
    assert recovered(STEP) == pytest.approx(0.4, abs=1e-12)
    assert abs(recovered(SURROGATE) - 0.63) < 0.025, "within a cell of the grid"


def test_values_are_those_of_the_step_and_slopes_those_of_its_surrogate() -> None:
    def residual(term: str):
        problem = nablax.parse(SOURCE.format(term=term, start=0.4))
        r = problem.residual(nablax.field(problem, lambda w, z: w * z[:1] * z[1:], params=jnp.ones(1)))
        points = jnp.stack([jnp.linspace(0, 1, 9), jnp.full(9, 0.05)], axis=-1)

        def values(a):
            return r({"net": jnp.ones(1), "eq": {"a": a}}, points)["equation/u"]

        return values(0.4), jax.jacfwd(values)(0.4), jax.jacrev(values)(0.4)

    step, both, smooth = (residual(t) for t in (STEP, SURROGATE, "1/(1 + exp((x - a)/0.1))"))
    np.testing.assert_array_equal(both[0], step[0])
    np.testing.assert_allclose(both[1], smooth[1], rtol=1e-12)
    np.testing.assert_allclose(both[2], smooth[2], rtol=1e-12)
    assert np.abs(step[1]).max() == 0


def test_a_surrogate_of_the_unknown_is_never_linear() -> None:
    spec = """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = dxx(u) - surrogate(2*u, 3*u) }
initial { u = 1 }
"""
    problem = nablax.parse(spec)
    (evolution,) = problem.system.evolution
    assert len(evolution.terms.linear) == 1
    assert len(evolution.terms.nonlinear) == 1
    solver = problem.compile(n=8, method="fd", step="rk4", dt=1e-3)

    def rate(u):
        return solver.fields(solver.initial(fields={"u": u}))["u"], solver.rhs(0.0, (u,), {})[0]

    u = jnp.ones(8)
    value, slope = jax.jvp(lambda u: rate(u)[1], (u,), (u,))
    np.testing.assert_allclose(value, -2, rtol=1e-12)
    np.testing.assert_allclose(slope, -3, rtol=1e-12)


def test_smoothed_gradients_are_unbiased_with_the_stated_variance() -> None:
    width, samples, draws = 0.3, 8, 500
    x = jnp.array([0.1, -0.2])
    jump = nablax.surrogate(lambda x: jnp.where(x[0] > 0, 2.0, 0.0), width=width, samples=samples)
    slope = nablax.surrogate(lambda x: x @ jnp.array([3.0, 4.0]), width=width, samples=samples)
    keys = jax.random.split(jax.random.key(0), draws)
    found = jax.jit(jax.vmap(jax.grad(jump), (None, 0)))(x, keys)
    density = 2 * np.exp(-(0.1**2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))
    error = found.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(found.mean(axis=0) - np.array([density, 0])) < 3 * error)
    assert np.all(found.var(axis=0) < 2.0**2 / (4 * width**2 * samples))
    found = jax.jit(jax.vmap(jax.grad(slope), (None, 0)))(x, keys)
    np.testing.assert_allclose(found.var(axis=0), (25 + np.array([9, 16])) / samples, rtol=0.3)
    assert np.all(np.abs(found.mean(axis=0) - np.array([3, 4])) < 3 * found.std(axis=0) / np.sqrt(draws))


def test_a_black_box_on_the_host_is_descended() -> None:
    def steps(x: np.ndarray) -> np.ndarray:
        assert isinstance(x, np.ndarray)
        return np.floor(4 * np.abs(x - 0.7))

    f = nablax.surrogate(steps, width=0.3, samples=8, output=(2,))
    x = jnp.array([-1.0, 2.0])
    move = jax.jit(lambda x, key: x - 0.05 * jax.grad(lambda x: jnp.sum(f(x, key)))(x))
    for key in jax.random.split(jax.random.key(1), 40):
        x = move(x, key)
    np.testing.assert_allclose(x, 0.7, atol=0.25)
    np.testing.assert_array_equal(f(x, key), 0)
    forward = jax.jacfwd(f)(x, key)
    np.testing.assert_allclose(forward, jax.jacrev(f)(x, key), rtol=1e-12)


def test_bad_arguments_of_a_smoothing() -> None:
    for bad in ({"width": 0.0}, {"width": 1.0, "samples": 0}):
        with pytest.raises(ValueError, match=r"positive|at least one"):
            nablax.surrogate(jnp.sin, **bad)
    with pytest.raises(Exception, match="`output` says"):
        nablax.surrogate(lambda x: x, width=1.0, output=(3,))(jnp.ones(2), jax.random.key(0))


@pytest.mark.slow
def test_a_ternary_network_solves_a_poisson_problem() -> None:
    problem = nablax.parse("""
space { x in [0, 1] }
fields { u }
equations { dxx(u) = -pi^2*sin(pi*x) }
boundary { all: u = 0 }
train { model = mlp(width=32, depth=3, weights=ternary) }
""")
    field = problem.hard(problem.network(jax.random.key(0)))
    losses = problem.losses(field)
    batch = {"equation": {"x": jnp.linspace(0.02, 0.98, 32)}}
    steps = 1500
    rule = optax.adam(optax.cosine_decay_schedule(5e-3, steps))

    def move(carry, _):
        params, state = carry
        value, slopes = jax.value_and_grad(lambda p: losses(p, batch)["equation/u"])(params)
        updates, state = rule.update(slopes, state, params)
        return (optax.apply_updates(params, updates), state), value

    params = field.params
    (params, _), _ = jax.jit(lambda params: jax.lax.scan(move, (params, rule.init(params)), length=steps))(
        params
    )
    x = jnp.linspace(0, 1, 101)
    found = problem.derivatives(field, ["u"])(params, {"x": x})["u"]
    exact = jnp.sin(jnp.pi * x)
    error = float(jnp.linalg.norm(found - exact) / jnp.linalg.norm(exact))
    assert error < 1e-2
