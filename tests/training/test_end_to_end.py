"""Ways of training from a start that knows nothing to an answer that is known."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
import pytest

import nablax
from nablax.backends.precision import precise
from nablax.backends.training.values import evaluate_of

TRANSPORT = """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) + dx(u)/4 = -u }
initial { u = sin(2*pi*x) }
train {
  model = mlp(width=12, depth=2); hard = off; steps = adam(400, lr=1e-2, schedule=cosine); dtype = float64
  points = [residual(128), initial(32)]; sampler = sobol(every=60)
}
expect { u ≈ exp(-t)*sin(2*pi*(x - t/4)) within 0.1 }
"""
PULL = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { C(x) ~ 0.5 in [0.1, 3] }
equations { dt(u) = -C(x)*u }
initial { u = 1 + x }
data { sensors = csv("seen.csv", at=[x, t], value=u, sigma=0.01) }
solve { n = 16; dt = 0.05; order = 4; step = rk4 }
output { every = 0.5 }
train {
  model = mlp(width=8, depth=1); steps = lm(60); points = residual(96); sampler = sobol; weights = data(1)
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["selfadaptive", "[ntk(every=50), causal(1, slabs=8)]"])
def test_weights_that_move_lead_to_the_solution(weights: str) -> None:
    found = nablax.train(nablax.parse(TRANSPORT), {"weights": weights})
    assert found.status == "done"
    assert found.met, found.verdicts


@pytest.mark.slow
def test_quasi_newton_steps_lead_to_the_solution() -> None:
    """Points move meanwhile, so that what the line search began with is computed anew."""
    spec = TRANSPORT.replace("u)/4", "u)/8").replace("t/4", "t/8").replace("within 0.1", "within 0.02")
    found = nablax.train(nablax.parse(spec), {"steps": "lbfgs(60)", "hard": "on"})
    assert found.status == "done"
    assert found.met, found.verdicts


@pytest.mark.slow
def test_network_and_solver_find_the_same_unknown_field(tmp_path: Path) -> None:
    """A rate of decay that depends on the place, from a table: two networks, and no network at all."""
    nodes, times = np.linspace(0, 1, 17), np.array([0.5, 1.0])
    rate = 0.5 + nodes**2
    u = (1 + nodes) * np.exp(-rate * times[:, None])
    x, t = np.meshgrid(nodes, times)
    rows = np.stack([x.ravel(), t.ravel(), u.ravel()], axis=1)
    np.savetxt(tmp_path / "seen.csv", rows, delimiter=",", header="x,t,u", comments="")
    problem = nablax.parse(PULL, folder=tmp_path)

    found = nablax.train(problem)
    assert found.status == "done"
    with precise("float64"):
        points = {"x": nodes, "t": np.zeros(17)}
        table = problem.derivatives(found.field, ["C", "dx(C)"])(found.params, points)
        inside = evaluate_of(found.field, found.params, 1)(np.stack([nodes, np.zeros(17)], axis=-1))
    by_network = table["C"]
    np.testing.assert_allclose(by_network, rate, atol=0.03)
    np.testing.assert_allclose(table["dx(C)"][2:-2], 2 * nodes[2:-2], atol=0.2)  # the ends see one side only
    np.testing.assert_array_equal(inside["C"], by_network)  # what files and pictures show

    with precise("float64"), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        solver = problem.compile()
        fitted = optx.least_squares(
            lambda C, _: solver.solve({"C": C}).fields["u"][1:] - u,
            optx.LevenbergMarquardt(rtol=1e-9, atol=1e-9),
            jnp.full(17, 0.5),
            max_steps=30,
        )
    np.testing.assert_allclose(fitted.value, rate, atol=1e-5)
    np.testing.assert_allclose(by_network, fitted.value, atol=0.03)
