"""An unknown diffusivity from the same measurements: through a network, and through the solver."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
import pytest

import nablax

SPEC = """
space { x in [0, 1] }
time { t in [0, 0.2] }
fields { u }
params { D ~ 0.1 in [0.02, 2] }
equations { dt(u) = D*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
data { sensors = csv("seen.csv", at=[x, t], value=u) }
solve { n = 16; dt = 0.001; order = 4; method = fd; step = rk4 }
output { every = 0.1 }
train { model = mlp(width=8, depth=2) }
"""
TRUE = 0.37
METHOD = optx.LevenbergMarquardt(rtol=1e-7, atol=1e-7)


@pytest.mark.slow
def test_network_and_solver_find_the_same_parameter(tmp_path: Path) -> None:
    x, t = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, 17)[2:15:3], [0.1, 0.2]))
    u = np.exp(-TRUE * np.pi**2 * t) * np.sin(np.pi * x)
    table = np.stack([x, t, u], axis=1)
    np.savetxt(tmp_path / "seen.csv", table, delimiter=",", header="x,t,u", comments="")
    problem = nablax.parse(SPEC, folder=tmp_path)
    bounds = problem.bounds()

    field = problem.hard(problem.network(jax.random.key(0)))
    vector = problem.residual_vector(field)
    batch = problem.sample(jax.random.key(1), {"equation": 96}, method="sobol")
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        found = optx.least_squares(
            lambda free, _: vector(bounds.bounded(free), batch, weights={"data/sensors": 100.0}),
            METHOD,
            bounds.free(field.params),
            max_steps=60,
            throw=False,
        )
        by_network = float(bounds.bounded(found.value)["eq"]["D"])

        solver = problem.compile()
        rows = np.rint(16 * x).astype(int).reshape(2, -1)[0]

        def misfit(free: dict[str, jax.Array], _: None) -> jax.Array:
            frames = solver.solve(bounds.bounded(free)).fields["u"][1:]
            return (frames[:, rows] - u.reshape(2, -1)).ravel()

        found = optx.least_squares(misfit, METHOD, bounds.free({"D": jnp.asarray(0.1)}), max_steps=40)
        by_solver = float(bounds.bounded(found.value)["D"])
    assert abs(by_solver - TRUE) < 1e-3 * TRUE
    assert abs(by_network - by_solver) < 1e-2 * TRUE


def test_bounds_go_both_ways() -> None:
    problem = nablax.parse(SPEC.replace('data { sensors = csv("seen.csv", at=[x, t], value=u) }\n', ""))
    bounds = problem.bounds()
    for value in (0.03, 0.1, 1.9):
        free = bounds.free({"D": jnp.asarray(value)})
        np.testing.assert_allclose(bounds.bounded(free)["D"], value, rtol=1e-12)
    for far in (-60.0, 60.0):
        assert 0.02 <= float(bounds.bounded({"D": jnp.asarray(far)})["D"]) <= 2 * (1 + 1e-12)
