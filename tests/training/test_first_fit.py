"""Residual adaptive networks begin at the initial state, for all times."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax.backends.networks.build import build_field
from nablax.backends.residuals.field import parts
from nablax.backends.residuals.networks import networks
from nablax.backends.training.task import make_task
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import run_stages

SPEC = """
space { x in [0, 2] periodic }
time { t in [0, 1] }
fields { psi: complex; u }
params { a ~ 1 in [0.5, 2] }
equations { i*dt(psi) = a*dxx(psi); dt(u) = dxx(u) }
initial { psi = exp(i*pi*x); u = sin(pi*x)^2 }
train { model = pirate(width=24, blocks=1); steps = adam(1); dtype = float64 }
"""


@pytest.mark.parametrize(
    "options", [{"hard": "off"}, {"hard": "on", "model": "pirate(width=24, blocks=1, factorised=on)"}]
)
def test_the_initial_state_at_all_times(options):
    stages = run_stages(read_source("spec", SPEC), Overrides(train=options))
    system, training, _ = stages.demand_training()
    task = make_task(system, training)
    params = task.bounds.bounded(task.start(jax.random.key(3)))
    net, unknown = parts(task.field, params)
    z = jax.random.uniform(jax.random.key(1), (50, 2)) * jnp.array([[2.0, 1.0]])
    found = jax.vmap(networks(task.field, net, unknown)[0].call)(z)
    x = z[:, 0]
    wanted = jnp.stack([jnp.cos(jnp.pi * x), jnp.sin(jnp.pi * x), jnp.sin(jnp.pi * x) ** 2], axis=1)
    assert jnp.linalg.norm(found - wanted) < 0.05 * jnp.linalg.norm(wanted)


def test_nothing_is_fitted_to_an_unknown_field():
    text = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { C(x) ~ 1 in [0.5, 2] }
equations { dt(u) = 0.1*dxx(u) }
initial { u = C(x)*sin(pi*x) }
boundary { all: u = 0 }
train { model = pirate(width=8, blocks=1); steps = adam(1); dtype = float64 }
"""
    system, training, _ = run_stages(read_source("spec", text), Overrides()).demand_training()
    task = make_task(system, training)
    key = jax.random.key(3)
    fresh = build_field(task.system.problem, task.training.model, key).params
    pairs = zip(jax.tree.leaves(task.bounds.bounded(task.start(key))), jax.tree.leaves(fresh), strict=True)
    assert all(np.allclose(a, b) for a, b in pairs)
