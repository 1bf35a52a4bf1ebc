"""Conditions with complex coefficients: a wave that leaves through its wall."""

import numpy as np
import pytest

import nablax

WAVE = """
space { x in [0, 1] }
fields { u: complex }
equations { dxx(u) + 4*u = 0 }
boundary { x = 0: u = 1; x = 1: WALL }
"""


@pytest.mark.parametrize("wall", ["dn(u) - 2*i*u = 0", "i*dn(u) + 2*u = 0"])
def test_waves_leave_through_an_impedance_with_order_four(wall: str) -> None:
    errors = []
    for n in (8, 16):
        solver = nablax.parse(WAVE.replace("WALL", wall)).compile(n=n, order=4)
        u = np.asarray(solver.solve().fields["u"]).ravel()
        errors.append(np.abs(u - np.exp(2j * np.linspace(0, 1, n + 1))).max())
    assert errors[1] < 1e-4
    assert np.log2(errors[0] / errors[1]) > 3.6
