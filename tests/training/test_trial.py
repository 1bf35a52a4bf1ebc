"""Fields that start like a fractional power of the time, in the trial space u_0 + t N_2 + t^α N_1."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.artifact.fields import load_field
from nablax.backends.networks.inputs import Coordinate
from nablax.backends.networks.started import Started
from nablax.backends.special import mittag_leffler
from nablax.backends.training.finish import exported
from nablax.backends.training.loop import programs_of
from nablax.backends.training.run import Silent, train
from nablax.backends.training.task import make_task
from nablax.frontend.diagnostics import SpecError

pytestmark = pytest.mark.brief

SPEC = """
space { x in [0, 1] }
time { t in [0, 2] }
fields { u; v }
params { a = 0.4; b = 1.5 }
equations { caputo(u, t, a) = dxx(u); caputo(v, t, b) = dxx(v) + caputo(v, t, 0.3) }
initial { u = sin(pi*x); v = sin(pi*x); dt(v) = 0 }
boundary { all: u = 0, v = 0 }
train { trial = on; HARD }
"""
RELAXATION = """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { caputo(u, t, 0.4) = -u }
initial { u = 1 }
train {
  model = mlp(width=4, depth=1); steps = lm(8); points = [residual(32)]; sampler = sobol
  quadrature = graded(12); TRIAL
}
expect { u ≈ mittag_leffler(0.4, -t^0.4) within 1 }
"""


@pytest.mark.parametrize(
    ("hard", "starts"), [("hard = on", {"u": -0.6, "v": -0.5}), ("hard = off", {"u": 0.4, "v": 1.5})]
)
def test_powers_count_from_what_is_built_in(hard, starts):
    problem = nablax.parse(SPEC.replace("HARD", hard))
    _, training, _ = problem.stages.demand_training()
    assert dict(training.model.starts) == pytest.approx(starts)
    told = problem.show()
    assert "beside whole powers, u like t^0.4, v like t^1.5" in told
    assert ("N_u = W_u + " in told) == (hard == "hard = on")


START = """
space {{ x in [0, 1] }}
time {{ t in [{start}, 2] }}
fields {{ u }}
equations {{ {equation} }}
initial {{ {initial} }}
boundary {{ all: u = 0 }}
train {{ trial = on; hard = off }}
"""
SINE = "u = sin(pi*x)"


@pytest.mark.parametrize(
    ("equation", "initial", "start", "power"),
    [
        ("dt(u) = caputo(dxx(u), t, 0.5)", SINE, 0, 1.5),
        ("dt(u) = rl(dxx(u), t, 0.4)", SINE, 0, 0.6),  # with -u for dxx(u), E_0.6(-t^0.6)
        ("dt(u) = gl(dxx(u), t, 0.4)", SINE, 0, 0.6),
        ("dt(u) = rl(dxx(u), t, 0.4) + x", "u = x - x", 0, 1.6),
        ("dt(u) = fracint(dxx(u), t, 0.5)", SINE, 0, 1.5),  # E_1.5(-t^1.5)
        ("dtt(u) = dxx(u) - rl(dt(u), t, 0.4)", f"{SINE}; dt(u) = x", 0, 1.6),
        ("dtt(u) = dxx(u) - rl(dt(u), t, 0.4)", f"{SINE}; dt(u) = 0", 0, 2.6),
        ("psicaputo(u, t, 0.4, t^2) = dxx(u)", SINE, 0, 0.8),
        ("psicaputo(u, t, 0.4, t^2) = dxx(u)", SINE, 1, 0.4),
        ("psicaputo(u, t, 0.4, exp(t)) = dxx(u)", SINE, 0, 0.4),
        ("vocaputo(u, t, 0.5 + 0.2*t) = dxx(u)", SINE, 0, 0.5),
    ],
)
def test_powers_that_solutions_start_with(equation, initial, start, power):
    problem = nablax.parse(START.format(equation=equation, initial=initial, start=start))
    _, training, _ = problem.stages.demand_training()
    assert dict(training.model.starts) == pytest.approx({"u": power})


@pytest.mark.parametrize("equation", ["psicaputo(u, t, 0.5, t^2) = dxx(u)", "dt(u) = fracint(dxx(u), t, 1)"])
def test_whole_powers_need_no_trial_space(equation):
    with pytest.raises(SpecError, match="P515"):
        nablax.parse(START.format(equation=equation, initial=SINE, start=0)).stages.demand_training()


def test_a_field_that_starts_differently_at_every_place_is_trained_without_one():
    spec = START.format(equation="vocaputo(u, t, 0.5 + 0.3*x) = dxx(u)", initial=SINE, start=0)
    problem = nablax.parse(spec.replace("trial = on; ", ""))
    _, training, _ = problem.stages.demand_training()
    assert training.model.starts == ()
    assert "trial" not in {choice.what for choice in training.choices}


def test_an_output_more_times_a_power_of_the_share_of_the_time():
    time = Coordinate(1, 1, 1.0, 5.0, False)
    net = Started(eqx.nn.Lambda(lambda z: jnp.array([2.0, 3.0, 5.0])), ((1, 0.5),), time)
    assert jnp.allclose(net(jnp.array([0.3, 2.0])), jnp.array([2.0, 3.0 + 5.0 / 2]))
    singular = Started(eqx.nn.MLP(2, 2, 4, 1, key=jax.random.key(0)), ((0, -0.6),), time)
    params, static = eqx.partition(singular, eqx.is_inexact_array)

    def built_in(params, t):
        """As a condition at the start makes of it."""
        return (t - 1) * eqx.combine(params, static)(jnp.array([0.3, t]))[0]

    value, slopes = jax.value_and_grad(built_in)(params, 1.0)
    assert value == 0
    assert all(bool(jnp.all(leaf == 0)) for leaf in jax.tree.leaves(slopes))


@pytest.mark.slow
def test_relaxation_is_learned_better_with_it(tmp_path):
    errors = {}
    for trial in ("on", "off"):
        problem = nablax.parse(RELAXATION.replace("TRIAL", f"trial = {trial}"))
        system, training, _ = problem.stages.demand_training()
        task = make_task(system, training)
        found = train(task, programs_of(task), None, False, Silent())
        path = tmp_path / f"{trial}.nbx"
        path.write_bytes(exported(task, found))
        t = np.linspace(0, 1, 21)
        points = np.stack([np.full(21, 0.5), t], axis=1)
        here = np.asarray(load_field(path)(points)["u"])
        wanted = [float(mittag_leffler(0.4, 1.0, -(s**0.4))) for s in t]
        errors[trial] = np.abs(here - wanted).max()
    assert errors["on"] < 0.1 * errors["off"]
