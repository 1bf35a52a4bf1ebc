"""Every example runs, meets what it expects of itself, and lowers for every platform."""

from pathlib import Path

import numpy as np
import pytest

from nablax import load
from nablax.backends.expectations import Judge
from nablax.backends.exporting import PLATFORMS, export_program
from nablax.backends.frames import Frame
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

EXAMPLES = sorted((Path(__file__).parents[2] / "pde_examples").glob("*.pde"))


def compiled(path: Path) -> Solver | SteadySolver:
    problem = load(path)
    assert not problem.warnings
    return problem.compile()


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example_meets_its_expectations_and_lowers_for_every_platform(path):
    solver = compiled(path)
    params = {name: float(value) for name, value in solver.parameters.items()}
    judge = Judge(solver.outline, params)
    frames = 0
    for event in solver.stream():
        if isinstance(event, Frame):
            frames += 1
            judge.see(event)
            assert all(np.isfinite(values).all() for values in event.fields.values())
    assert frames == len(solver.plan.frames)
    verdicts = judge.verdicts()
    assert verdicts, "an example expects something of itself"
    assert all(v.passed for v in verdicts), verdicts
    exported = export_program(solver)
    assert set(exported.platforms) == set(PLATFORMS)
    assert exported.mlir_module_serialized
