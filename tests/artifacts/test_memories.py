"""Every kind of memory through a file, and its derivatives in orders and coefficients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.artifacts.specs import both

OPERATORS = {
    "tempered": "tempered(u, t, a, 1/2, kind=caputo)",
    "cf": "cf(u, t, a)",
    "variable": "vocaputo(u, t, a + t/8)",
    "psi": "psicaputo(u, t, a, t^2)",
    "hadamard": "hadamard(u, t, a)",
}
SCALES = """
space { x in [0, 2*pi] periodic }
time { t in [1, 1.4] }
fields { u }
params { a = 0.6; D = 1 }
equations { OPERATOR = D*dxx(u) + (t - 1)*sin(x) }
initial { u = 0 }
solve { n = 4; dt = 0.1; memory = direct; step = l1 }
output { every = 0.2 }
"""
MODES = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
params { a = 0.6; D = 1 }
equations { caputo(u, t, a) = D*dxx(u) + cos(x) }
initial { u = sin(x) }
solve { n = 4 }
output { every = 0.5 }
"""
TEXTS = {name: SCALES.replace("OPERATOR", operator) for name, operator in OPERATORS.items()} | {
    "modes": MODES
}


@pytest.mark.slow
@pytest.mark.brief
@pytest.mark.parametrize("name", TEXTS)
def test_memories_go_through_a_file_with_their_derivatives(name):
    solver, artifact = both(TEXTS[name])

    def total(run, order):
        found = run.solve({"a": order, "D": 0.8}).fields
        return sum(jnp.sum(jnp.asarray(u)[1:] ** 2) for u in found.values())

    wanted, value = solver.solve({"a": 0.55}).fields, artifact.solve({"a": 0.55}).fields
    for field, values in wanted.items():
        np.testing.assert_allclose(np.asarray(value[field]), np.asarray(values), rtol=0, atol=1e-13)
    slope = float(jax.grad(lambda a: total(solver, a))(0.6))
    numeric = float(total(solver, 0.6 + 1e-5) - total(solver, 0.6 - 1e-5)) / 2e-5
    assert abs(slope - numeric) < 1e-7 * max(1, abs(numeric))
    assert abs(float(jax.grad(lambda a: total(artifact, a))(0.6)) - slope) < 1e-12 * max(1, abs(slope))


@pytest.mark.slow
def test_a_bounded_kernel_goes_through_a_file():
    """Values alone: derivatives of its Mittag-Leffler function in the order take minutes to compile."""
    solver, artifact = both(SCALES.replace("OPERATOR", "abc(u, t, 0.6)"))
    wanted, value = solver.solve({"D": 0.8}).fields["u"], artifact.solve({"D": 0.8}).fields["u"]
    assert np.abs(np.asarray(wanted)[-1]).max() > 0.1
    np.testing.assert_allclose(np.asarray(value), np.asarray(wanted), rtol=0, atol=1e-13)
