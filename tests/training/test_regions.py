"""Training in regions cut out of a box."""

import pytest

import nablax

CORNER = """
space { x in [-1, 1]; y in [-1, 1]; inside min(x, y) < 0 }
fields { u }
let { exact = sin(x)*exp(y/2) }
equations { laplacian(u) = -3*exact/4 }
boundary { all: u = exact }
train {
  model = mlp(width=10, depth=1); steps = lm(20); points = [residual(200), boundary(40)]; dtype = float64
}
expect { u ≈ exact within 1e-3; integral(1) ≈ 3 within 1e-3; max(x) <= 1 }
"""


@pytest.mark.slow
def test_a_network_in_a_corner_meets_what_is_expected():
    """The region is not convex, its curve has a corner, and parts of four walls bound it."""
    found = nablax.train(nablax.parse(CORNER))
    assert found.status == "done"
    assert found.met, found.verdicts
