"""Examples of every kind go through a compiled file and come back with the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from nablax import load
from nablax.backends.artifact.read import unpack
from nablax.backends.artifact.write import compile_artifact
from nablax.backends.solver import Solver

FOLDER = Path(__file__).parents[2] / "pde_examples"
FAST = ("burgers_exact", "heat2d")
KINDS = (  # each a scheme, a stepper and a control of its own; the others differ in their text only
    *FAST, "beam", "dam_break", "gray_scott", "inviscid_burgers", "keller_segel", "kdv", "navier_stokes",
    "rod_in_a_bath", "schrodinger", "stokes_layer",
)  # fmt: skip


@pytest.mark.brief
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in KINDS]
)
def test_example_through_a_file(name: str) -> None:
    solver = load(FOLDER / f"{name}.pde").compile()
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
