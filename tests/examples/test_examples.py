"""Every example runs, meets what it expects of itself, leaves no residual, and lowers for every platform."""

from pathlib import Path

import numpy as np
import pytest

from nablax.backends.expectations import Judge
from nablax.backends.exporting import PLATFORMS, export_program
from nablax.backends.frames import Frame
from nablax.backends.steady import SteadySolver

from .between_nodes import WITHOUT_RESIDUAL, close_frames, shares_left, with_history

EXAMPLES = sorted((Path(__file__).parents[2] / "pde_examples").glob("*.pde"))
LEFT = 0.05
"""The share of the residual of a wave of a tenth that an answer may leave. Seen: 1e-13 to 2e-2."""
FALLS = 4
"""What an answer whose Fourier sums leave more gains at least from the top third of its modes: what it leaves
is then in the modes beyond. Seen: 6."""


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example_meets_its_expectations_and_lowers_for_every_platform(path):
    problem = with_history(path)
    assert not problem.warnings
    solver = problem.compile()
    params = {name: float(value) for name, value in solver.parameters.items()}
    judge = Judge(solver.outline, params)
    frames = []
    half = len(solver.plan.frames) // 2
    for event in solver.stream():
        if isinstance(event, Frame):
            judge.see(event)
            if event.index == half or problem.system.has_memory:  # residuals look back to the start
                frames.append(event)
            seen = event.index + 1
            assert all(np.isfinite(values).all() for values in event.fields.values())
    assert seen == len(solver.plan.frames)
    verdicts = judge.verdicts()
    assert verdicts, "an example expects something of itself"
    assert all(v.passed for v in verdicts), verdicts
    if not problem.system.has_memory and not isinstance(solver, SteadySolver):
        frames = close_frames(solver, frames[0], frames[0].dt / 4)
    left = {} if path.stem in WITHOUT_RESIDUAL else shares_left(problem, solver, frames)
    for name, (share, coarser) in left.items():
        assert share < max(LEFT, min(coarser / FALLS, 0.5)), (name, share, coarser)
    exported = export_program(solver)
    assert set(exported.platforms) == set(PLATFORMS)
    assert exported.mlir_module_serialized
