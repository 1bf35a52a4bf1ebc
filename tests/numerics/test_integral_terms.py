"""Integral terms: against the reference evaluator, exact solutions, conservation, measured orders."""

import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import nablax
from nablax.backends.differences import build as differences
from nablax.backends.reference import reference_rate
from nablax.backends.spectral import build as spectral
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import compile_plan
from nablax.plan import Plan
from tests.numerics.integrate import error, measured_orders, nominal, rk4

x, t = sp.symbols("x t", real=True)


def spec(
    equations: str,
    initial: str,
    space: str,
    boundary: str = "",
    let: str = "",
    fields: str = "u",
    end: str = "1",
) -> str:
    return (
        f"space {{ {space} }}\ntime {{ t in [0, {end}] }}\nfields {{ {fields} }}\nlet {{ {let} }}\n"
        f"equations {{ {equations} }}\ninitial {{ {initial} }}\nboundary {{ {boundary} }}\n"
    )


def plan_of(text: str, **solve: object) -> Plan:
    return compile_plan(read_source("spec", text), Overrides({}, {k: str(v) for k, v in solve.items()}))[0]


def nodal_rate(plan: Plan, fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rate of the compiled scheme at the nodes."""
    scheme = spectral(plan) if plan.method == "spectral" else differences(plan)
    params = nominal(plan)
    time = jnp.asarray(0.3)
    y = scheme.initial(params, {n: jnp.asarray(a) for n, a in fields.items()})
    return {
        name: np.asarray(a)
        for name, a in scheme.fields(
            time, scheme.rate(time, scheme.embed(time, y, params), params), params
        ).items()
    }


CIRCLE = "x in [0, 2*pi] periodic"
LINE = "x in [0, 2]"
PERIODIC = {
    "mean": ("dt(u) = dxx(u)/10 + u - u^3 - mean(u - u^3)", ""),
    "nested": ("dt(u) = dxx(u)/10 + u*exp(-integral(u*cos(mean(u)*x))^2)", ""),
    "derivatives inside": ("dt(u) = dxx(u)/10 - u*integral(dx(u)^2)", ""),
    "convolution": ("dt(u) = dxx(u)/10 + convolve(exp(-4*x^2)*(1 + x), u^2)", ""),
    "kernel": ("dt(u) = dxx(u)/10 + integral(cos(x - y)*u^2, y, 0, 2*pi)", ""),
}
BOUNDED = {
    "running": ("dt(u) = integral(u^2, x, 0, x)", ""),
    "from here": ("dt(u) = u - integral(u, x, x, 2)", ""),
    "Volterra": ("dt(u) = integral(k(x, y)*u, y, 0, x)", "k(x, y) = exp(x - y)"),
    "sum of kernels": ("dt(u) = integral((x - y)*u + y*u^2 + sin(x*y), y, 0, x)", ""),
    "convolution": ("dt(u) = convolve(exp(-x^2), u)", ""),
}


@pytest.mark.parametrize("kind", PERIODIC)
def test_rates_on_a_circle_agree_with_the_reference(kind: str) -> None:
    equation, let = PERIODIC[kind]
    plan = plan_of(spec(equation, "u = 0", CIRCLE, let=let), n=24, method="spectral", dealias="none")
    points = plan.grid[0].lower + plan.grid[0].spacing * np.arange(plan.grid[0].points)
    u = 0.4 + np.sin(points) + 0.3 * np.cos(2 * points)
    expected = reference_rate(plan, 0.3, {"u": u}, {})["u"]
    np.testing.assert_allclose(nodal_rate(plan, {"u": u})["u"], expected, atol=1e-12)


@pytest.mark.parametrize("kind", BOUNDED)
def test_rates_on_a_line_agree_with_the_reference(kind: str) -> None:
    equation, let = BOUNDED[kind]
    plan = plan_of(spec(equation, "u = 0", LINE, let=let), n=20, method="fd", order=8)
    points = np.linspace(0, 2, 21)
    u = 1 + np.sin(2 * points)
    expected = reference_rate(plan, 0.3, {"u": u}, {})["u"]
    np.testing.assert_allclose(nodal_rate(plan, {"u": u})["u"], expected, atol=1e-12)


def test_integrals_over_some_axes_are_fields_of_the_others() -> None:
    text = spec(
        "dt(u) = u*integral(u, y) - mean(u, x)^2 + integral(x*u, y, -1, y); dt(v) = integral(u*v)*v",
        "u = 0; v = 0",
        "x in [0, 1]; y in [-1, 1]",
        fields="u; v",
    )
    plan = plan_of(text, n=12, method="fd", order=8)
    a, b = np.meshgrid(np.linspace(0, 1, 13), np.linspace(-1, 1, 13), indexing="ij")
    fields = {"u": np.cos(a + 2 * b), "v": 1 + a * b}
    expected, found = reference_rate(plan, 0.3, fields, {}), nodal_rate(plan, fields)
    for name in fields:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-12)


def test_a_convolution_is_its_fourier_multiplier() -> None:
    """K * sin = ∫ K(s) cos(s) ds sin for an even kernel: here (1/2) sin, so that u = exp(t/2) sin x."""
    text = spec("dt(u) = convolve(cos(x)/(2*pi), u)", "u = sin(x)", CIRCLE)
    solution = nablax.parse(text).compile(n=16, dt=0.02).solve()
    points = np.arange(16) * np.pi / 8
    np.testing.assert_allclose(solution.fields["u"][-1], np.exp(0.5) * np.sin(points), atol=1e-9)


def test_a_nonlocal_diffusivity_has_its_exact_solution() -> None:
    """dt(u) = ∫u² dx · u_xx with u = a(t) sin x: a' = -π a³, so a = (1 + 2πt)^(-1/2)."""
    text = spec("dt(u) = integral(u^2)*dxx(u)", "u = sin(x)", CIRCLE, end="0.5")
    solution = nablax.parse(text).compile(n=16, method="spectral", dt=0.002).solve()
    points = np.arange(16) * np.pi / 8
    exact = np.sin(points) / np.sqrt(1 + np.pi)
    np.testing.assert_allclose(solution.fields["u"][-1], exact, atol=1e-7)


def test_a_mass_conserving_reaction_conserves_mass() -> None:
    text = spec("dt(u) = dxx(u)/100 + u - u^3 - mean(u - u^3)", "u = sin(x)/2 + cos(3*x)/5 + 1/10", CIRCLE)
    frames = np.asarray(nablax.parse(text).compile(n=32).solve().fields["u"])
    np.testing.assert_allclose(frames.mean(axis=1), 0.1, atol=1e-13)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_the_order_of_a_volterra_term(order: int) -> None:
    """dt(u) = ∫₀ˣ e^(x-y) u dy + source."""
    exact = sp.cos(3 * x + t)
    y = sp.Symbol("y", real=True)
    memory = sp.integrate(sp.exp(x - y) * exact.subs(x, y), (y, 0, x))
    source = str(sp.expand(exact.diff(t) - memory)).replace("**", "^")
    text = spec(f"dt(u) = integral(exp(x - y)*u, y, 0, x) + {source}", "u = cos(3*x)", "x in [0, 1]")
    errors = []
    sizes = (12, 24) if order < 8 else (10, 16)
    for n in sizes:
        plan = plan_of(text, n=n, method="fd", order=order)
        errors.append(error(plan, rk4(differences(plan), nominal(plan), 0.5, 200), {"u": exact}, 0.5))
    (measured,) = measured_orders(sizes, errors)
    assert measured > order - 0.4


@pytest.mark.parametrize("kind", ["flux", "value"])
def test_an_integral_in_a_boundary_condition(kind: str) -> None:
    """What leaves, or what the wall holds, depends on the whole."""
    exact = sp.exp(-t) * sp.cos(x) + 1
    source = sp.expand(exact.diff(t) - exact.diff(x, 2))
    whole = sp.integrate(exact, (x, 0, 1))
    data = exact.diff(x).subs(x, 1) + whole if kind == "flux" else exact.subs(x, 1) - whole**2
    left = "dn(u) = -integral(u)" if kind == "flux" else "u = integral(u)^2"
    text = spec(
        f"dt(u) = dxx(u) + {source}",
        f"u = {exact.subs(t, 0)}",
        "x in [0, 1]",
        f"x = 0: dn(u) = 0; x = 1: {left} + {data}".replace("**", "^"),
    )
    errors = []
    for n in (20, 32):
        plan = plan_of(text, n=n, method="fd", order=4)
        errors.append(error(plan, rk4(differences(plan), nominal(plan), 0.05, 300), {"u": exact}, 0.05))
    (measured,) = measured_orders((20, 32), errors)
    assert measured > 3.5


@pytest.mark.parametrize(
    "equation", ["-dxx(u) + integral(u) = 13/6", "-dxx(u) + u*integral(u^2) = 2 + x*(1 - x)/30"]
)
def test_a_steady_problem_with_an_integral(equation: str) -> None:
    """u = x (1 - x), which order 6 and its quadrature represent exactly."""
    text = f"space {{ x in [0, 1] }}\nfields {{ u }}\nequations {{ {equation} }}\nboundary {{ all: u = 0 }}\n"
    solution = nablax.parse(text).compile(n=12, order=6, tol=1e-10).solve()
    points = np.linspace(0, 1, 13)
    np.testing.assert_allclose(np.ravel(solution.fields["u"]), points * (1 - points), atol=1e-10)
