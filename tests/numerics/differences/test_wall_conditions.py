"""Conditions that hold traces: measured orders up to the wall, from texts with manufactured data."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import sympy as sp

from nablax import notation
from nablax.backends.differences import build
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import compile_plan
from nablax.plan import Plan
from nablax.stencils import centred_extreme
from tests.numerics.integrate import error, measured_orders, nominal, rk4

pytestmark = pytest.mark.brief

x, y = sp.symbols("x y", real=True)
t = sp.Symbol("t", real=True)


def spec(
    equations: Sequence[str],
    exact: Mapping[str, sp.Expr],
    walls: Mapping[str, str],
    axes: str,
    solve: str = "",
) -> str:
    """A text whose solution is `exact`; `walls` are conditions by the side they stand on."""
    fields = "; ".join(name for name in exact if "(" not in name)
    initial = "; ".join(f"{name} = {notation.text(value.subs(t, 0))}" for name, value in exact.items())
    boundary = "\n".join(f"  {side}: {conditions}" for side, conditions in walls.items())
    return (
        f"space {{ {axes} }}\ntime {{ t in [0, 1] }}\nfields {{ {fields} }}\n"
        f"equations {{ {'; '.join(equations)} }}\ninitial {{ {initial} }}\nboundary {{\n{boundary}\n}}\n"
        f"solve {{ {solve} }}\n"
    )


def plan_of(text: str, n: int, order: int) -> Plan:
    solve = {"n": str(n), "order": str(order), "method": "fd"}
    return compile_plan(read_source("walls", text), Overrides({}, solve))[0]


def orders(
    text: str,
    exact: Mapping[str, sp.Expr],
    order: int,
    sizes: Sequence[int],
    end: float = 0.05,
    speed: float = 1.0,
    power: int = 2,
) -> list[float]:
    errors = []
    for n in sizes:
        plan = plan_of(text, n, order)
        fastest = sum(speed * centred_extreme(power, order) / a.spacing**power for a in plan.grid)
        steps = int(end * fastest) + 12
        errors.append(error(plan, rk4(build(plan), nominal(plan), end, steps), exact, end))
    return measured_orders(sizes, errors)


def w(expression: sp.Expr) -> str:
    return f"({notation.text(expression)})"


U = 1 + sp.exp(x / 2) * sp.cos(2 * x + t + sp.Rational(1, 2)) / 4
V = 2 + sp.sin(x + 2 * t) / 3


def heat(exact: sp.Expr, name: str = "u") -> str:
    return f"dt({name}) = dxx({name}) + {w(exact.diff(t) - exact.diff(x, 2))}"


def at(expression: sp.Expr, side: int) -> str:
    return w(expression.subs(x, side))


def both(condition: Callable[[int, int], str]) -> dict[str, str]:
    """The condition at x = 0 and x = 1; it is given the side and the sign of the outward normal."""
    return {f"x = {side}": condition(side, sign) for side, sign in ((0, -1), (1, 1))}


ONE = {
    "radiation": both(lambda s, n: f"dn(u) = -u^4 + {at(n * U.diff(x) + U**4, s)}"),
    "coefficient of the value": both(lambda s, n: f"(1 + u^2)*dn(u) = {at((1 + U**2) * n * U.diff(x), s)}"),
    "equation for the value": both(lambda s, n: f"u + u^3 = {at(U + U**3, s)}"),
    "dynamic": both(lambda s, n: f"dt(u) = -dn(u) - u^3 + {at(U.diff(t) + n * U.diff(x) + U**3, s)}"),
}


@pytest.mark.parametrize("kind", ONE)
def test_nonlinear_and_dynamic_conditions_second_order(kind: str) -> None:
    text = spec([heat(U)], {"u": U}, ONE[kind], "x in [0, 1]")
    (measured,) = orders(text, {"u": U}, 2, (10, 20))
    assert measured == pytest.approx(2, abs=0.25)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "order"),
    [(kind, order) for kind in ONE for order in (4, 6)] + [("equation for the value", 8), ("dynamic", 8)],
)
def test_nonlinear_and_dynamic_conditions(kind: str, order: int) -> None:
    """The one-sided derivative in a dynamic condition costs closures of degree 5 and 7 one order."""
    text = spec([heat(U)], {"u": U}, ONE[kind], "x in [0, 1]")
    (measured,) = orders(text, {"u": U}, order, (14, 20))
    assert measured > order - (1 if kind == "dynamic" and order > 4 else 0) - (0.4 if order == 4 else 0.8)


TWO = {
    "exchange": both(
        lambda s, n: f"dn(u) = 2*(v - u) + {at(n * U.diff(x) - 2 * (V - U), s)}, v = {at(V, s)}"
    ),
    "value of another": both(lambda s, n: f"u = v^2 + {at(U - V**2, s)}, dn(v) = {at(n * V.diff(x), s)}"),
    "interface": {
        "x = 0": f"u = v + {at(U - V, 0)}, dn(u) = -dn(v) + {at(-U.diff(x) - V.diff(x), 0)}",
        "x = 1": f"u = {at(U, 1)}, v = {at(V, 1)}",
    },
}


@pytest.mark.parametrize("kind", TWO)
def test_conditions_between_two_fields(kind: str) -> None:
    exact = {"u": U, "v": V}
    text = spec([heat(U), heat(V, "v")], exact, TWO[kind], "x in [0, 1]")
    (measured,) = orders(text, exact, 4, (12, 18))
    assert measured > 3.5


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 4])
def test_derivatives_along_the_wall(order: int) -> None:
    """A film on the wall that conducts, and one with a heat capacity; corners with a Dirichlet wall."""
    exact = 2 + sp.sin(x + y + t) * sp.exp(x / 3)
    source = exact.diff(t) - exact.diff(x, 2) - exact.diff(y, 2)
    film = (exact.diff(x) - exact.diff(y, 2)).subs(x, 1)
    store = (exact.diff(t) - exact.diff(x) - exact.diff(y, 2) / 2).subs(x, 0)
    walls = {
        "x = 0": f"dt(u) = -dn(u) + dyy(u)/2 + {w(store)}",
        "x = 1": f"dn(u) = dyy(u) + {w(film)}",
        "y = 0": f"u = {w(exact.subs(y, 0))}",
        "y = 1": f"dn(u) = {w(exact.diff(y).subs(y, 1))}",
    }
    text = spec([f"dt(u) = laplacian(u) + {w(source)}"], {"u": exact}, walls, "x in [0, 1]; y in [0, 1]")
    (measured,) = orders(text, {"u": exact}, order, (10, 16), 0.02, speed=16.0)
    assert measured > order - 0.5


@pytest.mark.parametrize("order", [2, 4])
def test_an_absorbing_wall_lets_a_pulse_out(order: int) -> None:
    """dt(u) + dn(u) = 0 on both sides: what travels outwards leaves, and nothing comes back."""
    pulse = sp.exp(-((x - sp.Rational(1, 2) - t) ** 2) * 120)
    text = spec(
        ["dtt(u) = dxx(u)"],
        {"u": pulse, "dt(u)": pulse.diff(t)},
        {"all": "dt(u) + dn(u) = 0"},
        "x in [0, 1]",
    )
    plan = plan_of(text, 128, order)
    final, _ = rk4(build(plan), nominal(plan), 1.5, 1000)
    assert np.abs(final).max() < (2e-2 if order == 2 else 1e-3)


@pytest.mark.slow
def test_a_mass_on_a_string() -> None:
    """dtt(w) = -dn(w) at the end: the conditions of second order in time keep the order as well."""
    exact = sp.sin(2 * x + 1) * sp.cos(2 * t) + x
    load = (exact.diff(t, 2) + exact.diff(x)).subs(x, 1)
    rates = {"w": exact, "dt(w)": exact.diff(t)}
    text = spec(
        [f"dtt(w) = dxx(w) + {w(exact.diff(t, 2) - exact.diff(x, 2))}"],
        rates,
        {"x = 0": f"w = {w(exact.subs(x, 0))}", "x = 1": f"dtt(w) = -dn(w) + {w(load)}"},
        "x in [0, 1]",
    )
    (measured,) = orders(text, {"w": exact}, 4, (16, 32), 0.5, speed=4.0, power=1)
    assert measured > 3.5
