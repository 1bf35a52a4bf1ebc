"""Open sides: waves leave as if the axis went on, and conditions speak for those that enter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.volumes.passage import projection


def solved(text: str, end: float, **options: object) -> dict[str, np.ndarray]:
    fields = parse(text).compile(**options).solve(save_at=(end,)).fields
    return {name: np.asarray(values[0]) for name, values in fields.items()}


RAREFACTION = """
space { x in [0, 1] }
time { t in [0, 0.5] }
fields { u }
equations { dt(u) + u*dx(u) = 0 }
initial { u = x - 1/2 }
boundary { x = 0: %s; x = 1: %s }
"""


@pytest.mark.parametrize(("order", "largest"), [(2, 1e-5), (5, 2e-6)])
@pytest.mark.parametrize("sides", [("dn(u) = 0", "dn(u) = 0"), ("u = -1/8", "u = 1/8")])
def test_a_rarefaction_leaves_through_both_sides(order, largest, sides):
    """u = (x - 1/2)/(1 + t), whatever the conditions say: no wave enters from a weaker state."""
    x = (np.arange(16) + 0.5) / 16
    u = solved(RAREFACTION % sides, 0.5, n=16, order=order)["u"]
    np.testing.assert_allclose(u, (x - 0.5) / 1.5, atol=largest)


def test_a_slope_that_enters_keeps_the_order():
    """u = sin(x) at rest: what the flux misses at the wall is not carried away, and adds up."""
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\n"
        "equations { dt(u) + dx(u) = cos(x) }\ninitial { u = sin(x) }\nboundary { x = 0: dn(u) = -1 }\n"
        "solve { method = fv }\n"
    )
    errors = []
    for n in (10, 20):
        u = solved(text, 1.0, n=n, order=5, dt=0.02)["u"]
        errors.append(float(np.abs(u + n * np.diff(np.cos(np.arange(n + 1) / n))).mean()))
    assert np.log2(errors[0] / errors[1]) > 4.7, errors


def test_a_value_enters_against_waves_that_leave_where_its_shock_does():
    u = solved(RAREFACTION % ("u = 1", "dn(u) = 0"), 0.5, n=16, order=2)["u"]
    assert u[0] == pytest.approx(1, abs=1e-3)


WATER = """
space { x in [0, 1] }
time { t in [0, 0.1] }
fields { h; q }
let { s = %s + %s*x; c = (s + 2)/3; v = 2*(c - 1) }
equations { dt(h) + dx(q) = 0; dt(q) + dx(q^2/h + h^2/2) = 0 }
initial { h = c^2; q = c^2*v }
boundary { %s }
"""


def water_errors(start: float, slope: float, walls: str, order: int, sizes: tuple[int, ...]) -> list[float]:
    """Of a simple wave, where v - 2c = -2 and the speed v + c is linear in x: mean errors of h and q."""
    found = []
    for n in sizes:
        fields = solved(WATER % (start, slope, walls), 0.1, n=n, order=order, dt=0.2 * n ** (-5 / 3))
        points, weights = np.polynomial.legendre.leggauss(4)
        nodes = (np.arange(n)[:, None] + 0.5 + points / 2) / n
        c = ((start + slope * nodes) / (1 + 0.1 * slope) + 2) / 3
        exact = {"h": c**2, "q": 2 * c**2 * (c - 1)}
        found.append(max(float(np.abs(fields[k] - e @ weights / 2).mean()) for k, e in exact.items()))
    return found


INFLOW = "((%s/(1 + %s*t) + 2)/3)"


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 5])
@pytest.mark.parametrize(("start", "slope"), [(1.0, 0.4), (4.0, 2.0)], ids=["subsonic", "supersonic"])
def test_a_simple_wave_of_a_system_leaves_at_the_order_of_the_scheme(start, slope, order):
    """Below the speed of waves one enters on the right, without a slope of its own; beyond it none does."""
    c = INFLOW % (start, slope)
    walls = f"x = 0: h = {c}^2, q = 2*{c}^2*({c} - 1); x = 1: dn(h) = 0, dn(q) = 0"
    coarse, fine = water_errors(start, slope, walls, order, (16, 32))
    assert fine < 1e-3
    assert np.log2(coarse / fine) > {2: 1.7, 5: 4.5}[order]


def test_a_wave_leaves_a_plane_at_an_angle():
    """u = (x - 1/2)/(1 + t) + 0·y, and the same along y: two axes of one scalar law."""
    text = (
        "space { x in [0, 1]; y in [0, 1] }\ntime { t in [0, 0.5] }\nfields { u }\n"
        "equations { dt(u) + dx(u^2/2) + dy(u^2/2) = 0 }\ninitial { u = x + y - 1 }\n"
        "boundary { all: dn(u) = 0 }\n"
    )
    nodes = (np.arange(8) + 0.5) / 8
    u = solved(text, 0.5, n=8, order=5)["u"]
    exact = (nodes[:, None] + nodes[None, :] - 1) / 2
    # Where the wave runs along a wall it neither leaves nor enters: only there the slope has a say.
    np.testing.assert_allclose(u, exact, atol=1e-4)


def test_projection_on_the_waves_that_enter():
    """Against eigenvectors, with one eigenvalue twice; nothing where speeds of both kinds meet."""
    drawn = np.random.default_rng(1)
    right = drawn.normal(size=(4, 4))
    left = np.linalg.inv(right)
    speeds = np.array([-1.0, 0.3, 0.3, 2.0])
    matrix = jnp.asarray(right @ np.diag(speeds) @ left)[..., None]
    vectors = drawn.normal(size=(4, 2, 1))
    distinct = jnp.array([0.3, 2.0, -1.0])[:, None]
    find = jax.jit(projection)
    found = find(matrix, distinct, distinct > 0, jnp.array([2.0]), jnp.asarray(vectors))
    expected = np.einsum("ij,jk...->ik...", right @ np.diag(speeds > 0) @ left, vectors)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    met = jnp.array([0.3, 0.3 + 1e-9, -1.0])[:, None]
    np.testing.assert_array_equal(find(matrix, met, met > 0.3, jnp.array([2.0]), jnp.asarray(vectors)), 0.0)
