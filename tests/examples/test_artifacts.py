"""Every example goes through a compiled file and comes back with the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from nablax import load
from nablax.backends.artifact.read import unpack
from nablax.backends.artifact.write import compile_artifact
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

EXAMPLES = sorted((Path(__file__).parents[2] / "pde_examples").glob("*.pde"))
FAST = ("burgers_exact", "heat2d")


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.stem, marks=() if p.stem in FAST else pytest.mark.slow) for p in EXAMPLES]
)
def test_example_through_a_file(path: Path) -> None:
    solver = load(path).compile()
    if isinstance(solver, SteadySolver):
        assert solver.plan.system.time is None  # nothing steps in it: there is no file for it
        return
    assert isinstance(solver, Solver)
    artifact = unpack(compile_artifact(solver))
    state, same = solver.initial(), artifact.initial()
    agree(artifact.fields(same), solver.fields(state))
    agree(artifact.fields(artifact.step(same)), solver.fields(solver.step(state)))
    times = solver.plan.frames[:2]
    agree(artifact.solve(save_at=times).fields, solver.solve(save_at=times).fields)


def agree(found, wanted) -> None:
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        scale = float(np.abs(np.asarray(values)).max()) or 1.0
        np.testing.assert_allclose(np.asarray(found[name]), np.asarray(values), rtol=0, atol=1e-11 * scale)
