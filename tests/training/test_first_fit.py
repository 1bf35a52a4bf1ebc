"""Residual adaptive networks begin at the initial state, for all times."""

import jax
import jax.numpy as jnp
import pytest

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
