"""Densities and pressures stay positive, at no cost to order and conservation."""

import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.volumes import positivity
from tests.numerics.volumes.riemann import euler

GAS = """
space {{ x in [-1, 1] }}
time {{ t in [0, 0.1] }}
fields {{ rho; m; E }}
let {{ p = 2/5*(E - m^2/(2*rho)); v = {v} }}
equations {{ dt(rho) + dx(m) = 0; dt(m) + dx(m^2/rho + p) = 0; dt(E) + dx((E + p)*m/rho) = 0 }}
initial {{ rho = 1; m = where(x < 0, -v, v); E = 5/2*2/5 + v^2/2 }}
boundary {{ all: dn(rho) = 0, dn(m) = 0, dn(E) = 0 }}
"""
CARRIED = """
space { x in [0, 1] periodic }
time { t in [0, 0.5] }
fields { c; v }
equations { dt(c) + dx(v*c) = 0; dt(v) + dx(v) = 0 }
initial { c = sin(pi*x)^6; v = 1 }
"""


@pytest.mark.brief
@pytest.mark.slow
@pytest.mark.parametrize(("order", "speed"), [(2, 3.5), (5, 3.5), (5, 5.0)])
def test_gas_that_is_torn_apart(order: int, speed: float) -> None:
    """Two rarefactions that leave next to nothing between them; vacuum beyond a speed of 3.74."""
    n = 100
    solver = parse(GAS.format(v=speed)).compile(n=n, order=order)
    found = solver.solve(save_at=(0.0, 0.1)).fields
    rho, m, energy = (np.asarray(found[name]) for name in ("rho", "m", "E"))
    assert rho.min() > 0
    assert (energy - m**2 / (2 * rho)).min() > 0
    # What is lost leaves through the ends, where nothing has arrived yet: 2 speed per time.
    assert rho[1].sum() * 2 / n == pytest.approx(2 - 2 * speed * 0.1, rel=1e-9)
    if speed < 3.7:
        nodes = (np.arange(20 * n) + 0.5) / (10 * n) - 1
        exact = euler((1.0, -speed, 0.4), (1.0, speed, 0.4), 1.4, nodes / 0.1)[0]
        assert np.abs(rho[1] - exact.reshape(n, 20).mean(axis=1)).mean() < 0.015


def test_a_concentration_keeps_its_sign_and_its_order() -> None:
    """It touches zero, and nothing bounds it from above: its flux holds another field."""
    errors = []
    for n in (40, 80):
        solver = parse(CARRIED).compile(method="fv", order=5, n=n, dt=0.2 * n ** (-5 / 3))
        found = np.asarray(solver.solve(save_at=(0.0, 0.5)).fields["c"])
        assert found.min() > -1e-12
        assert found[1].sum() == pytest.approx(found[0].sum(), rel=1e-12)
        errors.append(np.abs(found[1] - np.roll(found[0], n // 2)).mean())
    assert np.log2(errors[0] / errors[1]) > 4.5


def test_shares_stop_where_a_quantity_would_change_its_sign() -> None:
    """A pressure is concave along a segment of states; what is no number counts as lost."""

    def pressure(y: object) -> list[jnp.ndarray]:
        rho, m, energy = y
        return [rho, energy - m**2 / (2 * rho)]

    safe = jnp.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    wanted = jnp.array([[1.0, 1.0, -1.0, jnp.nan], [1.0, 2.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    part = np.asarray(positivity.share(pressure, safe, wanted))
    assert part[0] == 1
    assert 0.4 < part[1] < 1
    assert part[2] == pytest.approx(0.4995)
    assert part[3] == 0
    kept = pressure(list(safe[:, :3] + part[None, :3] * (wanted - safe)[:, :3]))
    assert min(float(q.min()) for q in kept) > 0
