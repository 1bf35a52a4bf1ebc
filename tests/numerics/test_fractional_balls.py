"""The integral fractional Laplacian in discs and balls in time, nonlinear, and with fields known outside."""

from math import gamma

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.solver import Solver
from nablax.backends.spectral.edged import basis_of, places_of
from nablax.backends.spectral.polynomials import shape_of
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

SPEC = """
space {coordinates} {{ {axis} }}
{time}
fields {{ {fields} }}
params {{ s = {s} }}
equations {{ {equations} }}
{initial}
boundary {{ {walls} }}
solve {{ n = {n}; {solve} }}
{output}
"""
# (-Δ)^s (1 - r²)^(1+s) in two and three dimensions (B. Dyda, Fract. Calc. Appl. Anal. 15 (2012) 536).
DYDA = {
    "polar": "4^s*gamma(s + 2)*gamma(1 + s)*(1 - (1 + s)*r^2)",
    "spherical": "4^s*gamma(s + 2)*gamma(3/2 + s)/gamma(3/2)*(1 - (1 + 2*s/3)*r^2)",
}
BUMP = "(1 - r^2)^(1 + s)"


def made(
    equations: str,
    initial: str = "",
    s: float = 0.6,
    n: int = 24,
    solve: str = "",
    coordinates: str = "polar",
    walls: str = "r = 1: u = 0",
    fields: str = "u",
    axis: str = "r in [0, 1]",
) -> Solver | SteadySolver:
    time = "time { t in [0, 1] }" if initial else ""
    start = f"initial {{ {initial} }}" if initial else ""
    text = SPEC.format(
        coordinates=coordinates,
        axis=axis,
        time=time,
        fields=fields,
        s=s,
        equations=equations,
        initial=start,
        walls=walls,
        n=n,
        solve=solve,
        output="output { every = 0.5 }" if initial else "",
    )
    return parse(text).compile()


def at_the_end(solver: Solver | SteadySolver, name: str = "u", **params: float) -> np.ndarray:
    assert isinstance(solver, Solver)
    return np.asarray(solver.solve(params).fields[name])[-1]


def bump(n: int, s: float) -> np.ndarray:
    return np.asarray((1 - np.linspace(0, 1, n + 1) ** 2) ** (1 + s))


RITZ = {
    (2, 0.25): (1.3437291482782, 2.2197731634772, 2.8394895929572, 3.3468200655810),
    (2, 0.75): (3.2759375359332, 12.280545958479, 24.593578809724, 39.482344860810),
    (3, 0.5): (2.7547547433684, 5.8921474819128, 9.0328527289882, 12.174118354560),
    (3, 0.9): (7.5031169260878, 26.724243284912, 55.866275322254, 94.119103499973),
}
"""The four lowest radial eigenvalues in the unit ball, by 20 functions of Rayleigh and Ritz in 40 digits."""


@pytest.mark.parametrize("case", RITZ)
def test_eigenvalues(case: tuple[int, float]) -> None:
    """Those of the same 20 functions; and in a ball of another size those of its scaling."""
    dimension, s = case
    with jax.enable_x64(True):
        basis = basis_of(places_of(shape_of(dimension), 2.0, 21, "float64"), jnp.asarray(s), None)
        more = basis_of(places_of(shape_of(dimension), 1.0, 65, "float64"), jnp.asarray(s), None)
    assert np.allclose(basis.eigenvalues[:4] * 4**s, RITZ[case], rtol=1e-10, atol=0)
    below = np.asarray(RITZ[case]) - np.asarray(more.eigenvalues[:4])
    assert (below > -1e-10).all()  # more functions can only lower them
    assert (below < 3e-7 * np.asarray(RITZ[case])).all()


def test_in_time_with_a_nonlinear_term_and_any_order() -> None:
    """exp(-t) (1 - r²)^(1+s) of u_t = -(-Δ)^s u + u² + f; the order is a parameter."""
    source = f"exp(-t)*({DYDA['polar']} - {BUMP}) - exp(-2*t)*(1 - r^2)^(2 + 2*s)"
    solver = made(f"dt(u) = -fraclap(u, s, kind=integral) + u^2 + {source}", f"u = {BUMP}", solve="dt = 0.02")
    assert isinstance(solver, Solver)
    assert solver.plan.stepping.name == "etdrk4"
    for s in (0.3, 0.6):
        assert np.abs(at_the_end(solver, s=s) - np.exp(-1) * bump(24, s)).max() < 2e-8


@pytest.mark.slow
def test_order_of_the_steps() -> None:
    source = f"exp(-t)*({DYDA['polar']} - {BUMP}) - exp(-2*t)*(1 - r^2)^(2 + 2*s)"
    equation = f"dt(u) = -fraclap(u, s, kind=integral) + u^2 + {source}"
    for step in ("etdrk4", "imex"):
        errors = []
        for dt in (0.1, 0.025):
            solver = made(equation, f"u = {BUMP}", solve=f"dt = {dt}; step = {step}")
            errors.append(np.abs(at_the_end(solver) - np.exp(-1) * bump(24, 0.6)).max())
        assert np.log2(errors[0] / errors[1]) / 2 > 3.7


def test_second_order_in_time_with_damping() -> None:
    """cos(t) (1 - r²)^(1+s) in a ball."""
    image = DYDA["spherical"]
    equation = (
        f"dtt(u) = -fraclap(u, s, kind=integral) - 0.1*dt(u) - (cos(t) + 0.1*sin(t))*{BUMP} + cos(t)*{image}"
    )
    solver = made(equation, f"u = {BUMP}; dt(u) = 0", coordinates="spherical", solve="dt = 0.01")
    assert np.abs(at_the_end(solver) - np.cos(1) * bump(24, 0.6)).max() < 1e-8


@pytest.mark.slow
def test_a_coefficient_that_varies_and_a_second_field() -> None:
    """Of orders that differ, coupled; the first equation with the diffusivity 1 + r²."""
    other = "4^0.3*gamma(2.3)*gamma(1.3)*(1 - 1.3*r^2)"
    equations = (
        f"dt(u) = -(1 + r^2)*fraclap(u, s, kind=integral) + v + exp(-t)*((1 + r^2)*{DYDA['polar']} - {BUMP}"
        " - (1 - r^2)^1.3); "
        f"dt(v) = -fraclap(v, 0.3, kind=integral) - u + exp(-t)*({other} - (1 - r^2)^1.3 + {BUMP})"
    )
    start = f"u = {BUMP}; v = (1 - r^2)^1.3"
    solver = made(equations, start, fields="u; v", walls="r = 1: u = 0, v = 0", solve="dt = 0.02")
    assert np.abs(at_the_end(solver) - np.exp(-1) * bump(24, 0.6)).max() < 1e-6
    assert np.abs(at_the_end(solver, "v") - np.exp(-1) * bump(24, 0.3)).max() < 1e-5


def test_memory() -> None:
    """Caputo in time, t² (1 - r²)^(1+s): order 2 of the quadrature; and every mode at any time."""
    forced = f"2*t^1.4/gamma(2.4)*{BUMP} + t^2*{DYDA['polar']}"
    equation = f"caputo(u, t, 0.6) = -fraclap(u, s, kind=integral) + {forced}"
    errors = []
    for dt in (0.1, 0.05):
        solver = made(equation, "u = 0", solve=f"step = cq; dt = {dt}")
        errors.append(np.abs(at_the_end(solver) - bump(24, 0.6)).max())
    assert np.log2(errors[0] / errors[1]) > 1.9
    modes = made("caputo(u, t, 0.5) = -fraclap(u, s, kind=integral)", f"u = {BUMP}")
    assert isinstance(modes, Solver)
    assert modes.plan.stepping.name == "mittag_leffler"
    steps = made("caputo(u, t, 0.5) = -fraclap(u, s, kind=integral)", f"u = {BUMP}", solve="step = l1")
    assert np.abs(at_the_end(modes) - at_the_end(steps)).max() < 1e-3 * np.abs(at_the_end(modes)).max()


@pytest.mark.parametrize("coordinates", ["polar", "spherical"])
def test_at_rest_nonlinear(coordinates: str) -> None:
    """Newton's method: (-Δ)^s u + u³ = f, of (1 - r²)^(1+s) exactly."""
    equation = f"fraclap(u, s, kind=integral) + u^3 = {DYDA[coordinates]} + (1 - r^2)^(3 + 3*s)"
    solver = made(equation, coordinates=coordinates)
    assert isinstance(solver, SteadySolver)
    assert np.abs(np.asarray(solver.solve().fields["u"]) - bump(24, 0.6)).max() < 1e-9


def test_known_outside() -> None:
    """Of (1 + r²)^(-3/2) in the plane half the Laplacian is known; a constant outside is one inside."""
    value = "(1 + r^2)^(-3/2)"
    image = "(3*(1 + r^2)^(-5/2) - (1 + r^2)^(-3/2))"
    wall = "r = 1: u = 2^(-3/2)"
    solver = made(f"fraclap(u, 1/2, kind=integral, exterior={value}) = {image}", walls=wall)
    assert isinstance(solver, SteadySolver)
    r = np.linspace(0, 1, 25)
    assert np.abs(np.asarray(solver.solve().fields["u"]) - (1 + r**2) ** -1.5).max() < 1e-7
    moving = made(
        f"dt(u) = -fraclap(u, 1/2, kind=integral, exterior=cos(t)*{value}) + cos(t)*{image} - sin(t)*{value}",
        f"u = {value}",
        walls="r = 1: u = cos(t)*2^(-3/2)",
        solve="dt = 0.02",
    )
    assert np.abs(at_the_end(moving) - np.cos(1) * (1 + r**2) ** -1.5).max() < 1e-6
    constant = made("dt(u) = -fraclap(u, s, kind=integral, exterior=2)", "u = 2", s=0.8, walls="r = 1: u = 2")
    assert np.abs(at_the_end(constant) - 2).max() < 1e-9


@pytest.mark.slow
def test_an_interval_takes_eigenfunctions_where_asked() -> None:
    """(1 - x²)^(1+s) in time on another interval, and a field outside that is not even."""
    size = f"{gamma(2.6) * gamma(1.1) / gamma(0.5)!r}*4^0.6*(1 - 2.2*x^2)"
    solver = made(
        f"dt(u) = -fraclap(u, s, kind=integral) + exp(-t)*({size} - (1 - x^2)^1.6)",
        "u = (1 - x^2)^1.6",
        coordinates="",
        axis="x in [-1, 1]",
        walls="all: u = 0",
        solve="method = spectral; dt = 0.02",
    )
    x = np.linspace(-1, 1, 25)
    assert np.abs(at_the_end(solver) - np.exp(-1) * (1 - x**2) ** 1.6).max() < 1e-8
    outside = made(
        "dt(u) = -fraclap(u, 1/2, kind=integral, exterior=1/(1 + x^2)) + (1 - x^2)/(1 + x^2)^2",
        "u = 1/(1 + x^2)",
        coordinates="",
        axis="x in [-1, 2]",
        walls="x = -1: u = 1/2; x = 2: u = 1/5",
        solve="method = spectral; dt = 0.1",
    )
    x = np.linspace(-1, 2, 25)
    assert np.abs(at_the_end(outside) - 1 / (1 + x**2)).max() < 1e-6


def test_given_fields_and_derivatives() -> None:
    """Nodal fields in place of the data, and the derivative of a run in the order."""
    solver = made("dt(u) = -fraclap(u, s, kind=integral)", f"u = {BUMP}", solve="dt = 0.25", n=32)
    assert isinstance(solver, Solver)
    start = solver.initial(fields={"u": jnp.asarray(bump(32, 0.6))})
    assert np.abs(np.asarray(start.y[0]) - np.asarray(solver.initial().y[0])).max() < 1e-6

    def middle(s: jax.Array) -> jax.Array:
        return solver.solve({"s": s}).fields["u"][-1, 0]

    with jax.enable_x64(True):
        slope = float(jax.grad(middle)(jnp.asarray(0.6)))
        wanted = (float(middle(jnp.asarray(0.601))) - float(middle(jnp.asarray(0.599)))) / 2e-3
    assert abs(slope - wanted) < 1e-5 * abs(wanted)


@pytest.mark.slow
def test_waves_of_matter_keep_their_norm() -> None:
    """i u_t = (-Δ)^s u in a ball."""
    solver = made(
        "dt(u) = -i*fraclap(u, s, kind=integral)",
        f"u = {BUMP}*exp(i*r^2)",
        fields="u: complex",
        coordinates="spherical",
        solve="dt = 0.1",
    )
    assert isinstance(solver, Solver)
    state = solver.initial()
    before = float(jnp.sum(jnp.abs(state.y[0]) ** 2))
    for _ in range(3):
        state = solver.step(state)
    assert abs(float(jnp.sum(jnp.abs(state.y[0]) ** 2)) - before) < 1e-12
