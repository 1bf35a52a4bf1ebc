"""Method, step bounds, dealiasing, well-posedness: each against what theory says."""

import numpy as np
import pytest
import sympy as sp

from nablax.planning.method import character
from nablax.planning.spectrum import linearise, unbounded_growth
from nablax.planning.stability import largest_step
from nablax.planning.stepping import Situation, explicit_bound

from .specs import bounded, codes, periodic, stages


@pytest.mark.parametrize(
    ("text", "method"),
    [
        (periodic("dt(u) = dxx(u)"), "spectral"),
        (periodic("dt(u) + sin(x)*dx(u) = dxx(u)"), "spectral"),
        (periodic("dt(u) = dx((2 + sin(x))*dx(u))"), "fd"),
        (periodic("dt(u) = dxx(u^3)"), "fd"),
        (periodic("dt(u) = dxx(u^3) - dxxxx(u)"), "spectral"),
        (bounded("dt(u) = dxx(u)", "all: u = 0"), "fd"),
        (periodic("dt(u) - dt(dxx(u)) + dx(u) + u*dx(u) = 0"), "spectral"),
    ],
)
def test_method_follows_the_problem(text, method):
    plan = stages(text).plan
    assert plan.method == method
    assert plan.choices[0].reason


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (periodic("dt(u) + v*dx(u) = 0; dt(v) = u", "u; v", "u = 1; v = 1"), "P420"),
        (periodic("dxx(u) = sin(x)", initial=""), "P402"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="method = spectral"), "P401"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="step = etdrk4"), "P401"),
        (bounded("dt(u) - dt(dxx(u)) = dx(u)", "all: u = 0"), "P401"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="n = 3"), "P403"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="n = [4, 4]"), "P403"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="order = 3"), "P403"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="dt = -1"), "P405"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="step = rk5"), "P406"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="dealias = 3"), "P407"),
        (bounded("dt(u) = dxx(u)", "all: u = 0", solve="step = rk4; dt = 1"), "P409"),
    ],
)
def test_choices_that_cannot_be_made(text, code):
    assert code in codes(text)


def bound_of(text: str, stepper: str) -> float:
    found = stages(text)
    plan = found.plan
    situation = Situation(
        found.system, plan.method, plan.order, plan.grid, plan.dealias, linearise(found.system, 8),
        character(found.system), 1.0,
    )  # fmt: skip
    return explicit_bound(situation, stepper).step


@pytest.mark.parametrize("dimension", [1, 2])
def test_bound_of_the_heat_equation_is_the_textbook_one(dimension):
    axes = "x in [0, 1]" + "; y in [0, 1]" * (dimension - 1)
    text = bounded("dt(u) = 3*laplacian(u)", "all: u = 0", axis=axes, solve="method = fd; order = 2; n = 32")
    h = 1 / 32
    assert bound_of(text, "euler") == pytest.approx(h**2 / (2 * dimension * 3), rel=1e-3)


def test_bound_of_advection_is_the_imaginary_axis_over_the_wave_speed():
    text = periodic("dt(u) + 2*dx(u) = 0") + "solve { method = spectral; n = 64 }"
    assert bound_of(text, "rk4") == pytest.approx(np.sqrt(8) / (2 * 32), rel=1e-3)
    assert bound_of(text, "euler") == 0.0


def test_bound_sees_the_nonlinear_speed_of_the_initial_data():
    slow = bound_of(periodic("dt(u) + u*dx(u) = 1e-6*dxx(u)", initial="u = 1 + 0*x"), "rk4")
    fast = bound_of(periodic("dt(u) + u*dx(u) = 1e-6*dxx(u)", initial="u = 10 + 0*x"), "rk4")
    assert fast == pytest.approx(slow / 10, rel=0.05)


def test_limiting_term_is_named():
    text = bounded("dt(u) = dx(u) + 5*dxx(u)", "all: u = 0", solve="n = 64; step = rk4")
    found = stages(text)
    assert found.report.source.slice(found.plan.stepping.limiter) == "5*dxx(u)"


@pytest.mark.parametrize("name", ["euler", "rk2", "rk4", "dopri5"])
def test_real_stability_limits(name):
    limits = {"euler": 2.0, "rk2": 2.0, "rk4": 2.785, "dopri5": 3.307}
    assert largest_step(name, np.array([-1.0 + 0j])) == pytest.approx(limits[name], rel=2e-3)


@pytest.mark.parametrize(
    ("equation", "power"),
    [
        ("dt(u) = -dxx(u)", 2),
        ("dt(u) = dxxxx(u)", 4),
        ("dt(u) = -dxx(u) - dxxxx(u)", None),
        ("dt(u) = dxxx(u)", None),
        ("dt(u) = dxx(u) + 100*u", None),
        ("dt(u) = dx(u)", None),
        ("dt(u) = u_xx - nu*u_x^2", None),
        ("dt(u) = dx((2 + sin(x))*dxx(u))", None),
        ("dt(u) = dxxx((2 + sin(x))*u)", None),
        ("dt(u) = -dx((2 + sin(x))*dx(u))", 2),
    ],
)
def test_growth_without_bound_is_found_and_measured(equation, power):
    text = periodic(equation)
    growth = unbounded_growth(stages(text).system)
    assert ("P306" in codes(text)) == (power is not None)
    assert (growth is None) == (power is None)
    if growth is not None:
        assert growth.power == pytest.approx(power, abs=1e-3)


def test_elliptic_system_run_forward_is_ill_posed():
    text = periodic("dt(u) = dx(v); dt(v) = -dx(u)", "u, v", "u = sin(x); v = 0")
    assert "P306" in codes(text)
    assert "P306" not in codes(periodic("dt(u) = dx(v); dt(v) = dx(u)", "u, v", "u = sin(x); v = 0"))


@pytest.mark.parametrize(
    ("equation", "kept"),
    [
        ("dt(u) = dxx(u)", 1.0),
        ("dt(u) = dxx(u) + u^2", 2 / 3),
        ("dt(u) = dxx(u) - u^3", 1 / 2),
        ("dt(u) = dxx(u) + sin(u)", 2 / 3),
        ("dt(u) = dxx(u) + cos(x)*dx(u)", 2 / 3),
    ],
)
def test_dealiasing_by_degree(equation, kept):
    assert stages(periodic(equation)).plan.dealias == pytest.approx((kept,))


@pytest.mark.parametrize(
    ("equation", "order", "left", "right"),
    [
        ("dt(u) + dx(u) = 0", 1, 1, 0),
        ("dt(u) - dx(u) = 0", 1, 0, 1),
        ("dt(u) = dxx(u)", 2, 1, 1),
        ("dt(u) + dxxx(u) = 0", 3, 1, 2),
        ("dt(u) - dxxx(u) = 0", 3, 2, 1),
        ("dt(u) + dxxxx(u) = 0", 4, 2, 2),
    ],
)
def test_boundary_count(equation, order, left, right):
    """m conditions in all; the odd one on the side where the leading term lets waves in."""
    kinds = ["u = 0", "dx(u) = 0", "dxx(u) = 0"]
    for a in range(4):
        for b in range(4):
            lines = []
            if a:
                lines.append("x = 0: " + ", ".join(kinds[:a]))
            if b:
                lines.append("x = 1: " + ", ".join(kinds[:b]))
            found = codes(bounded(equation, "; ".join(lines)))
            assert ("P301" in found) == ((a, b) != (left, right)), (a, b, found)
    assert left + right == order


def test_frames_hold_both_ends_and_the_expected_times():
    text = periodic("dt(u) = dxx(u)") + "output { every = 0.3 }\nexpect { t = 0.5: max(u) <= 1 }"
    assert stages(text).plan.frames == pytest.approx((0, 0.3, 0.5, 0.6, 0.9, 1.0))


def test_parameters_in_bounds_are_static_numbers():
    text = "params { L = 3 }\nspace { x in [0, L] periodic }\ntime { t in [0, 1] }\nfields { u }\n"
    text += "equations { dt(u) = dxx(u) }\ninitial { u = 0 }"
    assert stages(text).plan.grid[0].length == 3.0
    assert stages(text).problem.axes[0].upper == sp.Symbol("L", real=True)


@pytest.mark.parametrize(("operator", "warned"), [("abc", True), ("cf", False)])
def test_only_a_history_that_is_kept_fills_memory(operator, warned):
    """The kernel of Caputo and Fabrizio is an exponential: one array, even where a sum is asked for."""
    text = periodic(f"{operator}(u, t, 0.5) = dxx(u)", initial="u = 0")
    solve = "solve { n = 2048; dt = 1e-5; memory = direct }\n"
    assert ("P422" in codes(text + solve)) is warned


@pytest.mark.parametrize(
    ("equation", "dt", "chosen"),
    [
        ("dt(u) = dxx(u)", "1e-2", "implicit"),
        ("dt(u) = dxx(u)", "1e-4", "dopri5"),
        ("dt(u) = dxx(u) + u^2", "1e-2", "imex"),
        ("dt(u) = -x*(1 - x)*dx(u)", "1", "implicit"),
    ],
)
def test_a_fixed_step_gets_a_stepper_that_is_stable_with_it(equation, dt, chosen):
    walls = "all: u = 0" if "dxx" in equation else ""
    text = bounded(equation, walls, solve=f"n = 32; dt = {dt}")
    assert stages(text).plan.stepping.name == chosen
    assert "P409" not in codes(text)
    if chosen != "dopri5":
        (step,) = (c for c in stages(text).plan.choices if c.what == "step")
        assert "above the stable step" in step.reason
        assert "P409" in codes(text.replace("n = 32", "n = 32; step = rk4"))


def test_a_long_fixed_step_gives_the_solution():
    import jax.numpy as jnp

    from nablax.backends.solver import build

    text = bounded("dt(u) = dxx(u)", "all: u = 0", initial="u = sin(pi*x)", solve="n = 32; dt = 1e-2")
    solution = build(stages(text).plan).solve()
    exact = jnp.exp(-(jnp.pi**2) * solution.t[-1]) * jnp.sin(jnp.pi * jnp.linspace(0, 1, 33))
    assert float(jnp.abs(solution.fields["u"][-1] - exact).max()) < 1e-4
