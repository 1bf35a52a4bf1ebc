"""The centre of a disc, a cylinder and a ball: against exact solutions, with the orders that are claimed."""

import jax
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad
from scipy.special import jn_zeros, jv

import nablax
from nablax.backends.quadrature import weights
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.frontend.diagnostics import SpecError
from nablax.geometry import Geometry
from nablax.meaning.values import VectorValue
from nablax.plan import GridAxis, Plan

DISC = "space polar { r in [0, 1]; theta in [0, 2*pi] periodic }"
BALL = "space spherical { r in [0, 1] }"


def radii(n: int) -> np.ndarray:
    return (np.arange(n) + 0.5) / (n - 0.5)


def disc(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.meshgrid(radii(n), 2 * np.pi * np.arange(m) / m, indexing="ij"))


def last(text: str, **options: object) -> dict[str, np.ndarray]:
    """The fields at the end of the run of a spec."""
    solver = nablax.parse(text).compile(**options)
    assert isinstance(solver, Solver)
    return {name: np.asarray(values[-1]) for name, values in solver.solve().fields.items()}


def planned(text: str) -> Plan:
    plan = nablax.parse(text).stages.plan
    assert plan is not None
    return plan


def at_rest(text: str, **options: object) -> np.ndarray:
    solver = nablax.parse(text).compile(**options)
    assert isinstance(solver, SteadySolver)
    return np.asarray(solver.solve().fields["u"])


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("power", [0, 1, 2])
def test_sums_over_the_radius_have_the_order(order: int, power: int) -> None:
    exact = quad(lambda r: np.exp(-r * r) * np.cos(2 * r) * r**power, 0, 1.5, epsabs=1e-14)[0]
    errors = []
    for n in (20, 40):
        axis = GridAxis("r", 0.0, 1.5, n, False, folded=True)
        r = axis.first + axis.spacing * np.arange(axis.points)
        assert r[0] == axis.spacing / 2
        assert np.isclose(r[-1], 1.5)
        rule = weights(axis, order)
        assert np.all(rule > 0)
        errors.append(abs(rule @ (np.exp(-r * r) * np.cos(2 * r) * r**power) - exact))
    assert np.log2(errors[0] / errors[1]) > order - 0.4


PLANE = "exp(r*cos(theta))*sin(2*r*sin(theta) + 3/10)"


@pytest.mark.brief
@pytest.mark.parametrize(
    "order", [4, pytest.param(2, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)]
)
def test_poisson_in_a_disc_keeps_the_order(order: int) -> None:
    """Waves of every number around the centre, which is no special place for them."""
    errors = []
    for n in (16, 32):
        text = (
            f"{DISC} fields {{ u }} equations {{ laplacian(u) = -3*{PLANE} }} "
            f"boundary {{ r = 1: u = {PLANE} }}"
        )
        found = at_rest(text, n=[n, 2 * n], order=order)
        r, theta = disc(n, 2 * n)
        exact = np.exp(r * np.cos(theta)) * np.sin(2 * r * np.sin(theta) + 0.3)
        errors.append(np.abs(found - exact).max())
    assert np.log2(errors[0] / errors[1]) > order - 0.5


def test_slopes_on_the_rim_leave_a_constant() -> None:
    """The data are checked by quadrature: nothing crosses the centre."""
    text = (
        f"{DISC} fields {{ u }} equations {{ laplacian(u) = A - 8*r^2 - 24*r*cos(theta) }} "
        "boundary { r = 1: dn(u) = -6*cos(theta) }"
    )
    plan = planned(text.replace("A", "4"))
    found = at_rest(text.replace("A", "4"), n=[12, 32], order=8)
    assert any("compatible: sources" in c.reason for c in plan.choices)
    r, theta = disc(12, 32)
    assert np.ptp(found - (r**2 - r**4 / 2 + 3 * (r - r**3) * np.cos(theta))) < 1e-5
    with pytest.raises(SpecError, match="not compatible"):
        at_rest(text.replace("A", "5"))
    ball = at_rest(
        f"{BALL} fields {{ u }} equations {{ laplacian(u) = 1 - 5*r^2/3 }} boundary {{ r = 1: dn(u) = 0 }}",
        n=16,
        order=4,
    )
    r = radii(16)
    assert np.ptp(ball - (r**2 / 6 - r**4 / 12)) < 1e-13


def bessel(m: int, k: float) -> str:
    """J_m(k r) as a sum of powers."""
    terms = []
    for j in range(14):
        weight = sp.Rational((-1) ** j, sp.factorial(j) * sp.factorial(j + m)) * sp.Rational(k / 2) ** (
            2 * j + m
        )
        terms.append(f"({sp.Rational(sp.N(weight, 17)).limit_denominator(10**15)})*r^{2 * j + m}")
    return " + ".join(terms)


@pytest.mark.brief
@pytest.mark.slow
def test_heat_in_a_disc() -> None:
    """J_2(k r) cos(2θ) exp(-k² t)."""
    k = float(jn_zeros(2, 1)[0])
    errors = []
    for n in (8, 16):
        text = (
            f"{DISC} time {{ t in [0, 0.03] }} fields {{ u }} equations {{ dt(u) = laplacian(u) }} "
            f"initial {{ u = ({bessel(2, k)})*cos(2*theta) }} boundary {{ r = 1: u = 0 }}"
        )
        found = last(text, n=[n, 2 * n], order=4, tol=1e-8, step="dopri5")["u"]
        r, theta = disc(n, 2 * n)
        errors.append(np.abs(found - jv(2, k * r) * np.cos(2 * theta) * np.exp(-k * k * 0.03)).max())
    assert np.log2(errors[0] / errors[1]) > 3.5


def test_waves_in_a_ball() -> None:
    """cos(πt) sin(πr)/r; and the step that stability allows near the centre of a disc is known."""
    text = (
        f"{BALL} time {{ t in [0, 1] }} fields {{ u }} equations {{ dtt(u) = laplacian(u) }} "
        "initial { u = sin(pi*r)/r; dt(u) = 0 } boundary { r = 1: u = 0 }"
    )
    errors = []
    for n in (16, 32):
        r = radii(n)
        errors.append(np.abs(last(text, n=n, order=4, tol=1e-8)["u"] + np.sin(np.pi * r) / r).max())
    assert np.log2(errors[0] / errors[1]) > 3.5


def test_steps_are_bounded_by_the_narrowest_ring() -> None:
    heat = (
        f"{DISC} time {{ t in [0, 1] }} fields {{ u }} equations {{ dt(u) = laplacian(u) }} "
        "initial { u = 1 - r^2 } boundary { r = 1: u = 0 }"
    )
    plan = planned(heat + " solve { n = [32, 64]; step = rk4; order = 2 }")
    ring = (plan.grid[0].first * plan.grid[1].spacing) ** 2
    assert plan.stepping.bound is not None
    assert 0.3 * ring < plan.stepping.bound < 0.7 * ring
    plan = planned(heat)
    assert plan.stepping.name == "implicit"
    assert any("an explicit stepper would need" in c.reason for c in plan.choices)


@pytest.mark.brief
@pytest.mark.slow
def test_a_vector_goes_through_the_centre_by_its_components() -> None:
    """The heat equation of the uniform direction x: its polar components are multiplied by -1 beyond."""
    kernel = "exp(-(r^2 - 0.6*r*cos(theta) + 0.09)/(4*(t + 0.1)))/(t + 0.1)"
    polar = f"({kernel}*cos(theta), -{kernel}*sin(theta))"
    text = (
        f"{DISC} time {{ t in [0, 0.05] }} fields {{ U: vector }} equations {{ dt(U) = laplacian(U) }} "
        f"initial {{ U = {polar} }} boundary {{ r = 1: U = {polar} }}"
    )
    errors = []
    for n in (12, 24):
        found = last(text, n=[n, n], order=4, tol=1e-8)
        r, theta = disc(n, n)
        exact = np.exp(-(r**2 - 0.6 * r * np.cos(theta) + 0.09) / 0.6) / 0.15
        errors.append(
            max(
                np.abs(found["U.r"] - exact * np.cos(theta)).max(),
                np.abs(found["U.theta"] + exact * np.sin(theta)).max(),
            )
        )
    assert np.log2(errors[0] / errors[1]) > 3.3


@pytest.mark.brief
@pytest.mark.slow
def test_nonlinear_diffusion_by_implicit_steps_keeps_the_mass() -> None:
    """Nothing leaves a disc whose rim is closed; the integral weighs rings by their radius."""
    text = (
        f"{DISC} time {{ t in [0, 0.05] }} fields {{ u }} equations {{ dt(u) = div(u^2*grad(u)) }} "
        "initial { u = 1 + exp(-9*(r^2 - 0.6*r*cos(theta) + 0.09))*(1 - r^2)^2 } "
        "boundary { r = 1: dn(u) = 0 }"
    )
    lost = []
    for n in (8, 16):
        solver = nablax.parse(text).compile(n=[n, n], order=4, tol=1e-6, step="implicit")
        assert isinstance(solver, Solver)
        found = np.asarray(solver.solve().fields["u"])
        radius, angle = solver.plan.grid
        rule = weights(radius, 4) * (radius.first + radius.spacing * np.arange(radius.points))
        mass = np.einsum("tij,i->t", found, rule) * angle.spacing
        lost.append(np.abs(mass - mass[0]).max() / mass[0])
    assert lost[0] < 2e-3
    assert lost[1] < lost[0] / 6


def test_the_axis_of_a_cylinder_without_an_angle() -> None:
    text = (
        "space cylindrical { r in [0, 1]; z in [0, 1] } fields { u } "
        "equations { laplacian(u) = 4*sin(pi*z) - pi^2*(r^2 - 1)*sin(pi*z) } "
        "boundary { r = 1: u = 0; z = 0: u = 0; z = 1: u = 0 }"
    )
    found = at_rest(text, n=[8, 16], order=4)
    z = np.arange(17) / 16
    assert np.abs(found - (radii(8)[:, None] ** 2 - 1) * np.sin(np.pi * z)).max() < 5e-5


def test_gradients_go_through_a_solve_in_a_disc() -> None:
    text = (
        f"{DISC} fields {{ u }} params {{ a = 2 }} equations {{ laplacian(u) - a*u = -1 }} "
        "boundary { r = 1: u = 0 }"
    )
    solver = nablax.parse(text).compile(n=[8, 8])
    assert isinstance(solver, SteadySolver)

    def total(a: float) -> jax.Array:
        return solver.solve({"a": a}).fields["u"].sum()

    ahead, back = total(2.001), total(1.999)
    assert np.isclose(jax.grad(total)(2.0), (ahead - back) / 0.002, rtol=1e-5)


def test_vector_laplacians_of_known_fields() -> None:
    """z² e_z in a ball without the longitude, and (r z², r² z) around the axis of a cylinder, by hand."""
    r, theta, _ = sp.symbols("r theta _", positive=True)
    z = sp.Symbol("z", real=True)
    ball = Geometry("spherical", (r, theta))
    high = (r * sp.cos(theta)) ** 2
    found = ball.vector_laplacian(VectorValue((high * sp.cos(theta), -high * sp.sin(theta))))
    assert [sp.simplify(f) for f in found.items] == [2 * sp.cos(theta), -2 * sp.sin(theta)]
    cylinder = Geometry("cylindrical", (r, z))
    found = cylinder.vector_laplacian(VectorValue((r * z**2, r**2 * z)))
    assert [sp.simplify(f) for f in found.items] == [2 * r, 4 * z]
