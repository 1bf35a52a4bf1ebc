"""Systems: Sod's tube, walls, symmetry, positivity, transformations, exports."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import load, parse
from nablax.backends.exporting import PLATFORMS, export_program
from nablax.backends.lowering import evaluate
from nablax.backends.volumes.characteristic import eigenvectors
from nablax.backends.volumes.scheme import FiniteVolumes, build
from tests.numerics.volumes.riemann import euler

SOD = "pde_examples/sod_tube.pde"
WATER = """
space { %s }
time { t in [0, %s] }
fields { h; q: vector }
params { g = 1 }
equations {
  dt(h) + div(q) = 0
  dt(q.x) + dx(q.x^2/h + g*h^2/2) + dy(q.x*q.y/h) = 0
  dt(q.y) + dx(q.x*q.y/h) + dy(q.y^2/h + g*h^2/2) = 0
}
initial { h = %s; q = (0, 0) }
%s
"""


def sod_error(n: int, order: int) -> float:
    rho = np.asarray(load(SOD).compile(n=n, order=order).solve(save_at=(0.2,)).fields["rho"][0])
    nodes = (np.arange(20 * n) + 0.5) / (20 * n)
    exact = euler((1.0, 0.0, 1.0), (0.125, 0.0, 0.1), 1.4, (nodes - 0.5) / 0.2)[0]
    return float(np.abs(rho - exact.reshape(n, 20).mean(axis=1)).mean())


@pytest.mark.parametrize("order", [2, 5])
def test_sod_converges_in_the_mean_at_nearly_first_order(order):
    coarse, fine = sod_error(50, order), sod_error(100, order)
    assert fine < 8e-3
    assert np.log2(coarse / fine) > 0.7


def excess_variation(scheme: FiniteVolumes, end: float, step: float) -> float:
    """Of the density of Sod's tube, beyond its fall from 1 to 1/8."""
    params = {"gamma": jnp.asarray(1.4)}

    @jax.jit
    def stage(y, share, start):
        rate = scheme.rate(jnp.asarray(0.0), y, params)
        return tuple(share * (a + step * r) + (1 - share) * b for a, r, b in zip(y, rate, start, strict=True))

    y = scheme.initial(params, {})
    for _ in range(round(end / step)):
        start = y
        for share in (1.0, 0.25, 2 / 3):
            y = stage(y, share, start)
    rho = np.asarray(y[0])
    return float(np.abs(np.diff(rho)).sum() - 7 / 8)


def test_characteristic_variables_take_the_oscillations_from_sods_contact():
    plan = load(SOD).compile(n=100).plan
    scheme = build(plan)
    ours = excess_variation(scheme, 0.2, 0.002)
    plain = excess_variation(dataclasses.replace(scheme, eigenbases=()), 0.2, 0.002)
    assert ours < 0.005
    assert plain > 4 * ours


def found_vectors(basis, around, count, kind="float64"):
    dtype = jnp.dtype(kind)
    names = tuple(around)

    @jax.jit
    def find(values, sound):
        return eigenvectors(basis, dict(zip(names, values, strict=True)), (count,), dtype, sound)

    return find(tuple(jnp.asarray(v, dtype) for v in around.values()), True)


def test_eigenvectors_of_gas_in_two_dimensions():
    """R diagonalises the Jacobian that differences of the flux give, and L is its inverse."""
    solver = load("pde_examples/gas_vortex.pde").compile(n=8)
    scheme, law = build(solver.plan), solver.plan.balance.law
    state = np.array([1.3, 0.4, -0.7, 3.1])
    unknowns = [u.value for u in solver.plan.system.unknowns]
    values = {
        p.symbol: jnp.asarray(float(p.value)) for p in solver.plan.system.parameters if p.name == "gamma"
    }

    def flux(axis, u):
        found = evaluate(law.fluxes[axis], {**values, **dict(zip(unknowns, u, strict=True))})
        return np.array([float(f) for f in found])

    for axis, (basis,) in enumerate(scheme.eigenbases):
        around = {**values, **dict(zip(unknowns, jnp.asarray(state), strict=True))}
        left, right = (np.asarray(m)[..., 0] for m in found_vectors(basis, around, 1))
        steps = 1e-6 * np.eye(4)
        jacobian = np.array([(flux(axis, state + h) - flux(axis, state - h)) / 2e-6 for h in steps]).T
        np.testing.assert_allclose(left @ right, np.eye(4), atol=1e-12)
        moved = left @ jacobian @ right
        speed, sound = state[1 + axis] / state[0], np.sqrt(1.4 * 0.4 * (3.1 - 0.65 / 2.6) / 1.3)
        np.testing.assert_allclose(moved, np.diag(np.diag(moved)), atol=1e-8)
        expected = [speed - sound, speed, speed, speed + sound]
        np.testing.assert_allclose(np.sort(np.diag(moved)), expected, atol=1e-8)


@pytest.mark.parametrize("name", ["sod_tube", "dam_break"])
def test_eigenvectors_where_a_wave_stands_still(name):
    """Gas and water that began at rest, as fast as their waves: exactly, and nearly."""
    plan = load(f"pde_examples/{name}.pde").compile(n=8).plan
    (basis,) = build(plan).eigenbases[0]
    u = np.array([1.0, -1.0, *np.linspace(-1.1, 1.1, 200)])
    rho = 1.4 if name == "sod_tube" else 1.0  # with p = 1, and g = 1: the speed of sound is 1
    states = [rho + 0 * u, rho * u, 2.5 + rho * u**2 / 2][: len(basis.members)]
    numbers = {p.symbol: float(p.value) for p in plan.system.parameters}
    numbers |= dict(zip([v.value for v in plan.system.unknowns], states, strict=True))
    for kind, rounding in (("float64", 1e-12), ("float32", 1e-5)):
        left, right = (np.asarray(m, float) for m in found_vectors(basis, numbers, len(u), kind))
        assert (np.abs(left - np.eye(len(states))[..., None]).max(axis=(0, 1)) > 0.1).all()
        products = np.einsum("ijs,jks->sik", right, left)
        assert kind == "float32" or np.abs(products - np.eye(len(states))).max() < rounding
        again = np.einsum("ijs,jks,ks->is", right, left, np.array(states))
        errors = np.linalg.norm(again - states, axis=0) / np.linalg.norm(states, axis=0)
        assert errors.max() < rounding


def test_what_has_no_eigenvectors_is_reconstructed_as_it_stands():
    dust = (
        "space { x in [0, 1] periodic }\ntime { t in [0, 0.1] }\nfields { rho; m }\n"
        "equations { dt(rho) + dx(m) = 0; dt(m) + dx(m^2/rho) = 0 }\n"
        "initial { rho = 2 + sin(2*pi*x); m = rho_0*cos(2*pi*x) }\nlet { rho_0 = 2 + sin(2*pi*x) }\n"
    )
    plan = parse(dust).compile(n=16).plan
    choice = next(c for c in plan.choices if c.what == "variables")
    assert choice.value == "conserved"
    assert "eigenvectors" in choice.reason
    assert build(plan).eigenbases == ((),)
    # At rest with nothing in it shallow water has one speed: unit matrices there.
    water = load("pde_examples/dam_break.pde").compile(n=16).plan
    (basis,) = build(water).eigenbases[0]
    unknowns = [u.value for u in water.system.unknowns]
    around = {p.symbol: jnp.asarray(1.0) for p in water.system.parameters}
    around |= dict(zip(unknowns, jnp.array([[1e-300, 1.0], [0.0, 0.5]]), strict=True))
    left, right = found_vectors(basis, around, 2)
    np.testing.assert_array_equal(left[..., 0], np.eye(2))
    np.testing.assert_allclose(np.asarray(left[..., 1] @ right[..., 1]), np.eye(2), atol=1e-13)


@pytest.mark.parametrize(("front", "variables"), [(0.4, "characteristic"), (0.9, "conserved")])
def test_speeds_that_meet_in_a_part_of_the_domain(front, variables, recwarn):
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 0.1] }\nfields { p; q }\n"
        f"let {{ c(x) = max(0, x - {front}) }}\n"
        "equations { dt(p) + dx(c(x)*q) = 0; dt(q) + dx(c(x)*p) = 0 }\n"
        "initial { p = exp(-50*(x - 0.7)^2); q = 0 }\nboundary { all: dn(p) = 0, dn(q) = 0 }\n"
        "solve { method = fv; n = 32; order = 5 }\n"
    )
    plan = parse(text).compile().plan
    assert next(c for c in plan.choices if c.what == "variables").value == variables
    (bases,) = build(plan).eigenbases
    assert not recwarn.list
    for basis in bases:
        around = {plan.system.axes[0].symbol: jnp.array([0.1, front, 0.7])}
        left, right = found_vectors(basis, around, 3)
        np.testing.assert_array_equal(left[..., :2], np.eye(2)[..., None] * np.ones(2))
        np.testing.assert_allclose(np.asarray(left[..., 2] @ right[..., 2]), np.eye(2), atol=1e-13)


def test_walls_hold_the_water_and_turning_the_axes_turns_the_solution():
    box = "x in [0, 1]; y in [0, 1]"
    walls = "boundary { x = 0: dn(h) = 0, q.x = 0, dn(q.y) = 0; x = 1: dn(h) = 0, q.x = 0, dn(q.y) = 0;\n"
    walls += "y = 0: dn(h) = 0, q.y = 0, dn(q.x) = 0; y = 1: dn(h) = 0, q.y = 0, dn(q.x) = 0 }"
    bump = "1 + exp(-40*((x - 0.3)^2 + (y - 0.6)^2))/2"
    turned = "1 + exp(-40*((y - 0.3)^2 + (x - 0.6)^2))/2"
    found = []
    for initial in (bump, turned):
        solver = parse(WATER % (box, 0.5, initial, walls)).compile(n=16)
        found.append(solver.solve(save_at=(0.0, 0.5)).fields)
    a, b = found
    np.testing.assert_allclose(a["h"], np.swapaxes(b["h"], 1, 2), atol=1e-12)
    np.testing.assert_allclose(a["q.x"], np.swapaxes(b["q.y"], 1, 2), atol=1e-12)
    assert np.ptp(np.asarray(a["h"]).mean(axis=(1, 2))) < 1e-13


def test_strong_rarefaction_stays_positive():
    text = """
space { x in [0, 1] }
time { t in [0, 0.15] }
fields { rho; m; E }
let { p = 0.4*(E - m^2/(2*rho)) }
equations {
  dt(rho) + dx(m) = 0
  dt(m) + dx(m^2/rho + p) = 0
  dt(E) + dx((E + p)*m/rho) = 0
}
initial { rho = 1; m = where(x < 1/2, -2, 2); E = 3 }
boundary { all: dn(rho) = 0, dn(m) = 0, dn(E) = 0 }
"""
    fields = parse(text).compile(n=100).solve(save_at=(0.15,)).fields
    rho, m, energy = (np.asarray(fields[name][0]) for name in ("rho", "m", "E"))
    assert rho.min() > 0
    assert (energy - m**2 / (2 * rho)).min() > 0


def test_acoustic_waves_of_a_linear_system():
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { p; v }\n"
        "equations { dt(p) + 4*dx(v) = 0; dt(v) + dx(p) = 0 }\n"
        "initial { p = cos(pi*x); v = 0 }\nboundary { all: v = 0 }\nsolve { method = fv; n = 32 }\n"
    )
    p = np.asarray(parse(text).compile().solve(save_at=(0.0, 1.0)).fields["p"])
    np.testing.assert_allclose(p[1], p[0], atol=1e-4)  # one period of the mode


def test_gradient_of_a_functional_and_batches():
    text = (
        "space { x in [0, 1] periodic }\ntime { t in [0, 0.2] }\nfields { h; q }\nparams { a = 0.2; g = 1 }\n"
        "equations { dt(h) + dx(q) = 0; dt(q) + dx(q^2/h + g*h^2/2) = 0 }\n"
        "initial { h = 1 + a*sin(2*pi*x); q = 0 }\n"
    )
    solver = parse(text).compile(n=20, dt=0.01)

    def energy(a):
        return jnp.sum(solver.solve(params={"a": a}, save_at=(0.2,)).fields["q"] ** 2)

    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        slope = float(jax.grad(energy)(0.2))
        difference = float(energy(0.2 + 1e-5) - energy(0.2 - 1e-5)) / 2e-5
        assert slope == pytest.approx(difference, rel=1e-5)
        free = parse(text).compile(n=20)
        both = jax.vmap(lambda a: free.solve(params={"a": a}, save_at=(0.2,)).fields["h"][0])
        batch = both(jnp.array([0.1, 0.2]))
        single = free.solve(params={"a": 0.2}, save_at=(0.2,)).fields["h"][0]
        np.testing.assert_allclose(batch[1], single, rtol=1e-12)


def test_programs_lower_for_every_platform():
    exported = export_program(load(SOD).compile(n=20))
    assert set(exported.platforms) == set(PLATFORMS)
