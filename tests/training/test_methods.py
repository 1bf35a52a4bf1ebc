"""Optimisers, samplers, weights, ensembles and devices: each does what its definition says."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import nablax
from nablax.backends.training import least_squares
from nablax.backends.training.balance import causal, fixed_factors, initial_weights
from nablax.backends.training.least_squares import normal_equations
from nablax.backends.training.loop import begin, programs_of, run
from nablax.backends.training.points import draw, magnitudes_of, redraw
from nablax.backends.training.soap import scale_by_soap
from nablax.backends.training.task import make_task
from nablax.backends.training.unknowns import bounds_of
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import run_stages

HEAT = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { D ~ 0.1 in [0.01, 1]; r ~ 0.5 in [0, 2] }
equations { dt(u) = D*dxx(u) - r*u }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train {
  model = mlp(width=6, depth=1); hard = off; steps = lm(4)
  points = [residual(32), initial(8), boundary(4)]
}
"""


def task_of(**options):
    stages = run_stages(read_source("spec", HEAT), Overrides(train=options))
    system, training, _ = stages.demand_training()
    return make_task(system, training)


def test_normal_equations_are_those_of_the_residual_vector():
    task = task_of(weights="[initial(10), residual(u, 2)]")
    batch = draw(task, jax.random.key(1))
    weights = initial_weights(task, batch)
    weights["equation"] = jnp.linspace(0.5, 2.0, 32)  # one for every point
    flat, unravel = jax.flatten_util.ravel_pytree(task.start(jax.random.key(0)))

    def residuals(values):
        return task.vector(task.bounds.bounded(unravel(values)), batch, weights)

    r, J = jax.jit(lambda v: (residuals(v), jax.jacrev(residuals)(v)))(flat)
    found = jax.jit(lambda v: normal_equations(task, v, unravel, batch, weights))(flat)
    square, A, slope = found
    np.testing.assert_allclose(square, r @ r, rtol=1e-12)
    np.testing.assert_allclose(jnp.tril(A), jnp.tril(J.T @ J), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slope, J.T @ r, rtol=1e-9, atol=1e-12)


def test_products_by_strips_are_those_at_once(monkeypatch):
    Jt = jax.random.normal(jax.random.key(0), (11, 17))
    monkeypatch.setattr(least_squares, "STRIP", 4)
    found = least_squares.lower_gram(Jt)
    np.testing.assert_allclose(jnp.tril(found), jnp.tril(Jt @ Jt.T), rtol=1e-5, atol=1e-5)


def test_bounds_are_kept_and_inverted():
    task = task_of()
    params = {"net": (), "eq": {"D": jnp.asarray(0.3), "r": jnp.asarray(1.5)}}
    bounds = bounds_of(task.system.problem)
    assert bounds.logarithmic == {"D"}
    again = bounds.bounded(bounds.free(params))["eq"]
    np.testing.assert_allclose([again["D"], again["r"]], [0.3, 1.5], rtol=1e-9)
    for z in (-1e3, 1e3):
        far = bounds.bounded({"net": (), "eq": {"D": jnp.asarray(z), "r": jnp.asarray(z)}})["eq"]
        assert 0.01 <= float(far["D"]) <= 1
        assert 0 <= float(far["r"]) <= 2


@pytest.mark.parametrize("sampler", ["rad(every=1, k=2, c=0.01)", "rar(every=1, share=0.5)"])
def test_new_points_lie_where_the_residual_is_large(sampler):
    task = task_of(sampler=sampler, points="residual(200)")
    free = task.start(jax.random.key(0))
    batch = draw(task, jax.random.key(1))
    steep = lambda _, points, key: jnp.exp(-8 * points["x"])  # noqa: E731
    found = redraw(task, steep, batch, free, jax.random.key(2))
    assert found["equation"]["x"].shape == (200,)
    assert float(jnp.mean(found["equation"]["x"])) < 0.35 < float(jnp.mean(batch["equation"]["x"]))
    assert found["initial"] is batch["initial"] or np.array_equal(
        found["initial"]["x"], batch["initial"]["x"]
    )


def test_causal_weights_fall_with_what_earlier_times_lack():
    task = task_of(weights="causal(2, slabs=4)")
    batch = draw(task, jax.random.key(1))
    points = batch["equation"]
    weights = causal(task, task.start(jax.random.key(0)), points, jax.random.key(0))
    size = magnitudes_of(task)(task.start(jax.random.key(0)), points, jax.random.key(0))
    t = np.asarray(points["t"])
    slab = np.clip((4 * (t - t.min()) / (t.max() - t.min())).astype(int), 0, 3)
    means = np.array([np.mean(np.asarray(size)[slab == k] ** 2) for k in range(4)])
    np.testing.assert_allclose(weights, np.exp(-2 * (np.cumsum(means) - means))[slab], rtol=1e-10)


def test_factors_multiply_by_family_place_and_name():
    task = task_of(weights='[boundary(3), boundary("x=0", 5), residual(u, 2)]')
    assert fixed_factors(task) == {
        "equation/u": 2.0, "initial/u": 1.0, "boundary/x=0/1": 15.0, "boundary/x=1/1": 3.0,
    }  # fmt: skip


def test_soap_turns_with_the_gradient():
    """It descends along the axes of its preconditioners, whose bases stay orthogonal and diagonalise them."""
    rotation = jnp.linalg.qr(jax.random.normal(jax.random.key(0), (4, 4)))[0]
    scales = jnp.asarray([1.0, 10.0, 100.0, 1000.0])

    def loss(w):
        return jnp.sum(scales[:, None] * (rotation @ w) ** 2)

    w = {"w": jnp.ones((4, 4))}
    rule = optax.chain(scale_by_soap(), optax.scale_by_learning_rate(0.03))
    state = rule.init(w)
    with jax.numpy_dtype_promotion("standard"):
        step = jax.jit(lambda w, s: rule.update(jax.grad(lambda v: loss(v["w"]))(w), s, w))
        before = float(loss(w["w"]))
        for _ in range(150):
            updates, state = step(w, state)
            w = optax.apply_updates(w, updates)
    assert float(loss(w["w"])) < 1e-2 * before
    for factor, basis in state[0].sides[0]:
        np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-9)
        turned = basis.T @ factor @ basis
        assert np.linalg.norm(turned - np.diag(np.diag(turned))) < 0.1 * np.linalg.norm(turned)


@pytest.mark.slow
def test_members_of_an_ensemble_are_runs_of_their_own():
    task = task_of(ensemble="2", sampler="sobol")
    programs = programs_of(task)
    state, position = begin(task, programs)
    *_, last = run(task, programs, state, position)
    leaves = jax.tree.leaves(last.state.params)
    assert all(leaf.shape[0] == 2 for leaf in leaves)
    assert any(not np.allclose(leaf[0], leaf[1]) for leaf in leaves)
    alone = task_of(sampler="sobol")
    single = programs_of(alone)
    first = jax.tree.map(lambda a: a[0], (state.params, state.optimiser, state.weights))
    *_, other = run(
        alone, single, state._replace(params=first[0], optimiser=first[1], weights=first[2]), position
    )
    for a, b in zip(leaves, jax.tree.leaves(other.state.params), strict=True):
        np.testing.assert_allclose(a[0], b, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_points_spread_over_devices_and_the_numbers_stay():
    program = """
import jax, nablax, numpy as np
from nablax.backends.training import points
from nablax.backends.training.task import make_task
from nablax.backends.training.loop import begin, programs_of
jax.config.update("jax_enable_x64", True)
p = nablax.parse('''space { x in [0, 1] }
fields { u }
equations { dxx(u) = 1 }
boundary { all: u = 0 }
train { model = mlp(width=4, depth=1); steps = adam(3); points = residual(32); dtype = float64 }''')
system, training, _ = p.stages.demand_training()
task = make_task(system, training)
programs = programs_of(task)
state, _ = begin(task, programs)
assert len(state.batch["equation"]["x"].sharding.device_set) == 2
spread = programs.chunks[0](state, jax.numpy.int32(0), jax.numpy.int32(3))
one = jax.tree.map(lambda a: jax.device_put(np.asarray(a), jax.devices()[0]), state)
alone = programs.chunks[0](one, jax.numpy.int32(0), jax.numpy.int32(3))
for a, b in zip(jax.tree.leaves(spread.params), jax.tree.leaves(alone.params)):
    np.testing.assert_allclose(a, b, rtol=1e-9)
"""
    env = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "PATH": "/usr/bin",
    }
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    assert told.returncode == 0, told.stderr[-2000:]


@pytest.mark.slow
def test_a_diverged_run_says_so():
    problem = nablax.parse(HEAT)
    with jax.numpy_dtype_promotion("standard"):
        found = nablax.train(problem, {"steps": "adam(20, lr=1e30)", "dtype": "float32"})
    assert found.status == "broken"
    assert [d.code for d in found.diagnostics] == ["R720"]
