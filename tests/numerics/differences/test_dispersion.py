"""Third derivatives between walls, whose differences have no eigenvectors that could be used."""

import numpy as np
import pytest

import nablax
from nablax.backends.differences import implicit
from nablax.backends.solver import Solver

pytestmark = pytest.mark.brief

WAVE = """
space { x in [0, 1] }
time { t in [0, 0.1] }
fields { u }
equations { dt(u) = -dxxx(u) }
initial { u = cos(2*x) }
boundary { x = 0: u = cos(8*t); x = 1: u = cos(2 + 8*t), dn(u) = -2*sin(2 + 8*t) }
output { every = 0.1 }
"""


def solver(n: int, step: str) -> Solver:
    made = nablax.parse(WAVE).compile(n=n, order=2, step=step, dt=0.001)
    assert isinstance(made, Solver)
    return made


def error(made: Solver) -> float:
    """The largest error at the end."""
    x = np.linspace(0, 1, made.plan.shape[0])
    return float(np.abs(np.asarray(made.solve().fields["u"][-1]) - np.cos(2 * x + 0.8)).max())


@pytest.mark.parametrize("step", ["imex", "implicit"])
def test_waves_disperse_at_second_order(step: str) -> None:
    coarse, fine = (error(solver(n, step)) for n in (12, 24))
    assert np.log2(coarse / fine) > 1.8, (coarse, fine)


def test_a_decomposition_agrees_with_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    decomposed = np.asarray(solver(10, "imex").solve().fields["u"][-1])
    monkeypatch.setattr(implicit, "DENSE", 0)
    iterated = np.asarray(solver(10, "imex").solve().fields["u"][-1])
    np.testing.assert_allclose(decomposed, iterated, rtol=0, atol=1e-9)
