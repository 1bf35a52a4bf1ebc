"""Coefficients on the grid as arguments of compiled files."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.artifact.container import Container, pack
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.read import unpack
from nablax.backends.artifact.write import compile_artifact

pytestmark = pytest.mark.brief

STEADY = """
space { x in [0, 2] }
fields { u }
params { a = 0.3 }
let { c(x) = 1 + a*x^2 }
equations { 0 = dx(c(x)*dx(u)) + 1 }
boundary { all: u = 0 }
solve { n = 8 }
"""
MOVING = STEADY.replace("fields", "time { t in [0, 0.01] }\nfields").replace("0 = ", "dt(u) = ")
MOVING = MOVING.replace("n = 8", "n = 8; step = rk4; dt = 1e-3") + "initial { u = 0 }"


@pytest.mark.parametrize(
    "text", [STEADY, pytest.param(MOVING, marks=pytest.mark.slow)], ids=["steady", "moving"]
)
def test_arrays_replace_their_definition(text):
    solver = parse(text).compile(arrays=["c"])
    (data,) = solver.plan.arrays
    file = compile_artifact(solver, platforms=("cpu",))
    artifact = unpack(file)
    (outlined,) = artifact.outline.arrays
    assert (outlined.name, outlined.shape) == ("c", data.shape)
    values = 1 + np.random.default_rng(0).random(data.shape) / 4
    for params in ({"a": 0.5}, {"c": values}):
        wanted, found = solver.solve(params=params).fields["u"], artifact.solve(params=params).fields["u"]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-13)
    with pytest.raises(ValueError, match="shape"):
        artifact.solve(params={"c": values[1:]})
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():

        def total(c):
            return jnp.sum(artifact.solve(params={"c": c}).fields["u"] ** 2)

        slope = jax.grad(total)(jnp.asarray(values))[4]
        ahead, back = (float(total(jnp.asarray(values).at[4].add(h))) for h in (1e-5, -1e-5))
    assert float(slope) == pytest.approx((ahead - back) / 2e-5, rel=1e-6)
    if text == STEADY:
        manifest = Container(file).manifest
        manifest["outline"]["arrays"][0]["shape"] = [3, 3]
        members = {
            p["member"]: Container(file).member(p["member"], p["sha256"]) for p in manifest["programs"]
        }
        with pytest.raises(ArtifactError, match="arrays"):
            unpack(pack(manifest, members))
