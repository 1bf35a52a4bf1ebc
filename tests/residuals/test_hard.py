"""Conditions built into a field hold to rounding for random parameters, derivatives taken independently."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.ansatz.derive import derive
from nablax.backends.residuals.field import Field, parts
from nablax.backends.residuals.networks import networks

Function = Callable[[jax.Array], jax.Array]


def hard(spec: str, seed: int = 0, periodic: str | None = None) -> tuple[nablax.Problem, Field]:
    problem = nablax.parse(spec)
    axes = len(problem.system.problem.symbols)
    outputs = sum(2 if c.complex else 1 for c in problem.system.problem.components)
    net = eqx.nn.MLP(axes, outputs, 6, 1, jnp.tanh, key=jax.random.key(seed))
    return problem, problem.hard(problem.network(jax.random.key(seed), periodic) if periodic else net)


def function(field: Field) -> Function:
    """The outputs at one point."""
    net, unknown = parts(field, field.params)
    return networks(field, net, unknown)[0].call


def slope(f: Function, axis: int, order: int = 1) -> Function:
    for _ in range(order):
        f = (lambda g: lambda z: jax.jvp(g, (z,), (jnp.zeros_like(z).at[axis].set(1),))[1])(f)
    return f


def on(f: Function, *coordinates: float | np.ndarray) -> np.ndarray:
    """Values [points, outputs] where one coordinate has many values, or several have."""
    z = jnp.stack(jnp.broadcast_arrays(*(jnp.asarray(c, float) for c in coordinates)), axis=-1)
    return np.asarray(jax.jit(jax.vmap(f))(z.reshape(-1, z.shape[-1])))


LINE = np.linspace(0, 1, 5)


def test_neumann_robin_and_initial_conditions() -> None:
    problem, field = hard("""
space { x in [0, 2] }
time { t in [1, 3] }
fields { u }
params { h ~ 2 in [1, 3] }
equations { dt(u) = dxx(u) - u^3 }
initial { u = cos(x) }
boundary { x = 0: dn(u) = t - 1; x = 2: dn(u) + 2*u = 2*cos(2) - sin(2) + (h - 2)*(t - 1) }
""")
    assert set(field.exact) == {"boundary/x=0/1", "boundary/x=2/1", "initial/u"}
    assert not field.left
    changed = {**field.params, "eq": {"h": jnp.asarray(2.7)}}
    for params, h in ((field.params, 2.0), (changed, 2.7)):
        net, unknown = parts(field, params)
        u = networks(field, net, unknown)[0].call
        t = 1 + 2 * LINE
        np.testing.assert_allclose(-on(slope(u, 0), 0.0, t)[:, 0], t - 1, atol=1e-13)
        robin = on(slope(u, 0), 2.0, t) + 2 * on(u, 2.0, t)
        wanted = 2 * np.cos(2) - np.sin(2) + (h - 2) * (t - 1)
        np.testing.assert_allclose(robin[:, 0], wanted, atol=1e-13)
        np.testing.assert_allclose(on(u, 2 * LINE, 1.0)[:, 0], np.cos(2 * LINE), atol=1e-14)
    assert np.ptp(on(function(field), 1.0, 1 + 2 * LINE)) > 1e-3, "inside, the network speaks"

    batch = problem.sample(jax.random.key(1), {"equation": 4, "initial": 4, "boundary": 4})
    losses = problem.losses(field)
    assert set(losses(field.params, batch)) == set(losses.names) == {"equation/u"}
    assert problem.residual_vector(field)(field.params, batch).shape == (4,)
    slopes = jax.grad(lambda p: losses(p, batch)["equation/u"])(field.params)
    assert float(jnp.abs(slopes["eq"]["h"])) > 0


def test_clamped_and_hinged_ends_of_a_field_of_second_order_in_time() -> None:
    problem, field = hard("""
space { x in [0, 1] }
time { t in [0, 1] }
fields { w }
equations { dtt(w) = -dxxxx(w) }
initial { w = x^2*(1 - x)^3; dt(w) = x^3*(1 - x)^3 }
boundary { x = 0: w = 0, dx(w) = 0; x = 1: w = 0, dxx(w) = 0 }
""")
    assert len(field.exact) == 6
    w = function(field)
    for found in (on(w, 0.0, LINE), on(slope(w, 0), 0.0, LINE), on(w, 1.0, LINE)):
        np.testing.assert_allclose(found, 0, atol=1e-14)
    np.testing.assert_allclose(on(slope(w, 0, 2), 1.0, LINE), 0, atol=1e-13)
    np.testing.assert_allclose(on(w, LINE, 0.0)[:, 0], LINE**2 * (1 - LINE) ** 3, atol=1e-15)
    np.testing.assert_allclose(on(slope(w, 1), LINE, 0.0)[:, 0], LINE**3 * (1 - LINE) ** 3, atol=1e-15)
    z = jnp.array([[0.3, 0.7], [0.6, 0.2]])
    fourth = on(slope(slope(w, 0, 2), 0, 2), *z.T)[:, 0]
    found = jax.jit(problem.residual(field))(field.params, z)["equation/w"]
    np.testing.assert_allclose(found, on(slope(w, 1, 2), *z.T)[:, 0] + fourth, rtol=1e-9, atol=1e-10)


@pytest.mark.slow
def test_a_complex_system_in_a_box() -> None:
    _, field = hard("""
space { x in [0, 1]; y in [-1, 2]; z in [0, 3] }
fields { U: vector; psi: complex }
params { k = 2 }
equations { laplacian(U) = grad(x*y*z); laplacian(psi) = psi }
boundary {
  x = 0: U = (0, y, 0), psi = i*y; x = 1: dn(U) = (0, 0, 0), dn(psi) = i*k*(psi - i*y)
  y = -1: U.x = 0, U.y = -1, dn(U.z) = 0, psi = -i; y = 2: U.x = 0, dn(U.y) = 1, U.z = 0, dn(psi) = i
  z = 0: dn(U) = (0, 0, 0), psi = i*y; z = 3: dn(U) = (0, 0, 0), dn(psi) = 0
}
""")
    assert not field.left, field.left
    f = function(field)  # U.x, U.y, U.z, Re psi, Im psi
    a, b = 3 * LINE - 1, 3 * LINE[::-1]
    zero = np.zeros(5)
    wall = np.stack([zero, a, zero, zero, a], axis=1)
    np.testing.assert_allclose(on(f, 0.0, a, b), wall, atol=1e-13)
    normal, value = on(slope(f, 0), 1.0, a, b), on(f, 1.0, a, b)
    np.testing.assert_allclose(normal[:, :3], 0, atol=1e-12)
    psi = value[:, 3] + 1j * value[:, 4]
    np.testing.assert_allclose(normal[:, 3] + 1j * normal[:, 4], 2j * (psi - 1j * a), atol=1e-12)
    normal, value = on(slope(f, 1), LINE, 2.0, b), on(f, LINE, 2.0, b)
    found = np.stack([value[:, 0], normal[:, 1] - 1, value[:, 2], normal[:, 3], normal[:, 4] - 1])
    np.testing.assert_allclose(found, 0, atol=1e-12)
    np.testing.assert_allclose(on(slope(f, 2), LINE, a, 3.0), 0, atol=1e-12)
    assert np.abs(psi - 1j * a).max() > 1e-4


PERIODIC = """
space { x in [-1, 3] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = -dxxx(u) }
initial { u = cos(pi*x/2) }
"""


@pytest.mark.slow
@pytest.mark.brief
def test_networks_become_periodic() -> None:
    _, field = hard(PERIODIC)
    assert field.ansatz is not None
    assert field.ansatz.periodic
    u = function(field)
    for order in range(3):
        low, high = (on(slope(u, 0, order), end, LINE) for end in (-1.0, np.nextafter(3.0, 0)))
        np.testing.assert_allclose(low, high, atol=1e-11)
    np.testing.assert_allclose(on(u, 0.3, LINE), on(u, 8.3, LINE), atol=1e-12)
    assert np.abs(on(slope(u, 0, 2), 0.4, LINE)).max() > 0.1
    _, field = hard(PERIODIC, periodic="mlp(width=4, depth=1)")
    assert field.ansatz is not None
    assert not field.ansatz.periodic, "it is periodic already"


def test_fluxes_that_depend_on_the_field() -> None:
    """Radiation on both walls, from data that agree with it: one derivative of the network is enough."""
    _, field = hard("""
space { x in [0, 2] }
time { t in [1, 3] }
fields { u }
equations { dt(u) = dxx(u) }
initial { u = 1 + x^2 }
boundary { x = 0: dn(u) = t - u^4; x = 2: dn(u) + u^3 = 129 }
""")
    assert not field.left, field.left
    assert field.ansatz is not None
    assert field.ansatz.order == 1
    u, t = function(field), 1 + 2 * LINE
    left, right = on(u, 0.0, t)[:, 0], on(u, 2.0, t)[:, 0]
    np.testing.assert_allclose(-on(slope(u, 0), 0.0, t)[:, 0], t - left**4, atol=1e-12)
    np.testing.assert_allclose(on(slope(u, 0), 2.0, t)[:, 0], 129 - right**3, rtol=1e-12)
    np.testing.assert_allclose(on(u, 2 * LINE, 1.0)[:, 0], 1 + 4 * LINE**2, atol=1e-13)
    assert np.ptp(left) > 1e-3, "the walls' values are the network's"


def test_fields_tied_to_each_other_on_a_wall() -> None:
    """Values and fluxes that are continuous across an interface, and fluxes along it."""
    _, field = hard("""
space { x in [0, 1]; y in [0, 1] periodic }
time { t in [0, 1] }
fields { u; v; w }
equations { dt(u) = laplacian(u); dt(v) = laplacian(v); dt(w) = laplacian(w) }
initial { u = sin(pi*x); v = -2*sin(pi*x); w = 0 }
boundary { x = 0: u = v, 2*dx(u) + dx(v) = 0, dx(w) = dyy(w) + u*w; x = 1: u = 0, v = 0, w = 0 }
""")
    assert not field.left, field.left
    f = function(field)
    y, t = LINE, LINE[::-1]
    value, normal = on(f, 0.0, y, t), on(slope(f, 0), 0.0, y, t)
    np.testing.assert_allclose(value[:, 0], value[:, 1], atol=1e-13)
    np.testing.assert_allclose(2 * normal[:, 0] + normal[:, 1], 0, atol=1e-12)
    along = on(slope(f, 1, 2), 0.0, y, t)[:, 2]
    np.testing.assert_allclose(normal[:, 2], along + value[:, 0] * value[:, 2], atol=1e-11)
    np.testing.assert_allclose(on(f, 1.0, y, t), 0, atol=1e-13)
    start = np.sin(np.pi * LINE)[:, None] * np.array([1, -2, 0])
    np.testing.assert_allclose(on(f, LINE, 0.3, 0.0), start, atol=1e-13)
    assert np.abs(value).max(axis=0).min() > 1e-4


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("dn(u) = sqrt(u)", "no value for some values"),
        ("dn(u) = |u|", "a jump or a kink in the values of the fields"),
        ("dt(u) + dn(u) = u^2", "kept together"),
    ],
)
def test_why_a_condition_that_is_not_linear_stays_a_loss(condition: str, reason: str) -> None:
    problem = nablax.parse(f"""
space {{ x in [0, 1]; y in [0, 1] periodic }}
time {{ t in [0, 1] }}
fields {{ u }}
equations {{ dt(u) = laplacian(u) }}
initial {{ u = 0 }}
boundary {{ x = 0: {condition}; x = 1: u = 0 }}
""")
    assert reason in dict(derive(problem.system).left)["boundary/x=0/1"]


def test_what_cannot_be_built_in_is_said() -> None:
    problem, field = hard("""
space { x in [0, 1]; y in [0, 1] }
time { t in [0, 1] }
fields { u; v }
equations { dt(u) = laplacian(u); dt(v) = laplacian(v) }
initial { u = 1; v = abs(x - 1/2) }
boundary {
  x = 0: u = 0, v = u; x = 1: dn(u) + u^4 = 0, v = 0
  y = 0: u = 0, dn(v) + (x - 1/2)*v = 0; y = 1: u = 1, (x - 1/2)*dn(v) + v = 0
}
""")
    left = field.left
    assert "kept together" in left["boundary/x=0/2"]
    assert "may vanish" in left["boundary/y=1/2"]
    assert "disagree" in left["initial/u"]
    assert "disagree" in left["boundary/y=1/1"]
    assert "kink" in left["initial/v"]
    assert set(problem.losses(field).names) == {"equation/u", "equation/v", *left}
    u = function(field)
    for found in (on(u, 0.0, LINE, 0.4), on(u, LINE, 0.0, 0.7)):
        np.testing.assert_allclose(found[:, 0], 0, atol=1e-15)
    np.testing.assert_allclose(on(u, 1.0, LINE, 0.4)[:, 1], 0, atol=1e-15)
