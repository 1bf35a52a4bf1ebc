"""Measured orders of accuracy against exact and manufactured solutions."""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from jax import Array

from nablax.backends.differences import build
from nablax.problem import Side
from nablax.stencils import centred_extreme
from tests.numerics.integrate import error, measured_orders, nominal, rk4
from tests.numerics.systems import (
    Line,
    Wall,
    both,
    build_plan,
    build_system,
    dirichlet,
    function,
    neumann,
    t,
)

pytestmark = pytest.mark.brief

x, y, z = sp.symbols("x y z", real=True)
D, a = sp.symbols("D a", real=True)
Case = tuple[list[Line], dict[str, sp.Expr], dict[str, sp.Expr], Sequence[Wall]]


def study(
    case: Callable[[int], Case],
    order: int,
    sizes: Sequence[int],
    end: float = 0.1,
    speed: float = 1.0,
    power: int = 2,
    parameters: Mapping[str, float] | None = None,
    rate_of: Mapping[str, str] | None = None,
    complex_unknowns: Sequence[str] = (),
    conservative: Callable[
        [Mapping[str, sp.Expr]], Mapping[str, list[tuple[sp.Expr, dict[str, int], sp.Expr]]]
    ]
    | None = None,
) -> list[float]:
    """Orders between neighbouring sizes. The step follows `speed`·(symbol of the highest derivative)."""
    errors = []
    for n in sizes:
        lines, rates, exact, walls = case(n)
        start = {name: value.subs(t, 0) for name, value in exact.items()}
        system = build_system(
            lines,
            rates,
            initial=start,
            walls=walls,
            parameters=parameters,
            rate_of=rate_of,
            complex_unknowns=complex_unknowns,
            conservative=conservative,
        )
        plan = build_plan(system, lines, order=order)
        fastest = sum(speed * centred_extreme(power, order) / axis.spacing**power for axis in plan.grid)
        # 0.7 of the stable step at most, shorter where the error of time would show.
        steps = int(end * fastest * (2.0 if order > 4 else 1.0)) + 12
        errors.append(error(plan, rk4(build(plan), nominal(plan), end, steps), exact, end))
    return measured_orders(sizes, errors)


def forced(exact: sp.Expr, rate: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """The source that makes `exact` solve u_t = rate(u) + source."""
    return sp.expand(sp.diff(exact, t) - rate(exact).doit())


def heat_1d(kind: str, n: int) -> Case:
    periodic = kind == "periodic"
    lines = [Line("x", 0.0, 1.0, n, periodic)]
    u = function("u", lines)
    if periodic:
        exact = sp.exp(-4 * sp.pi**2 * D * t) * sp.sin(2 * sp.pi * x)
        return lines, {"u": D * u.diff(x, 2)}, {"u": exact}, ()
    exact = sp.exp(x) * sp.sin(2 * x + 1 + t)
    at = {side: (exact.subs(x, side), exact.diff(x).subs(x, side)) for side in (0, 1)}
    walls: list[Wall] = []
    for side, sign in ((0, -1), (1, 1)):
        value, slope = at[side]
        if kind == "dirichlet" or (kind == "dirichlet-neumann" and side == 0):
            walls.append(dirichlet("u", "x", side, value))
        elif kind in ("neumann", "dirichlet-neumann"):
            walls.append(neumann("u", "x", side, slope))
        elif kind == "robin":
            walls.append(Wall("u", "x", side, [(1, 1), (sign * a, 0)], slope + sign * a * value))
    return lines, {"u": D * u.diff(x, 2) + forced(exact, lambda v: D * v.diff(x, 2))}, {"u": exact}, walls


KINDS = ["periodic", "dirichlet", "neumann", "dirichlet-neumann", "robin"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "order"),
    [(kind, order) for kind in KINDS if kind != "dirichlet-neumann" for order in (4, 8)]
    + [("dirichlet-neumann", 6), ("periodic", 6)],
)
def test_heat_on_a_line(kind: str, order: int) -> None:
    """Time-dependent data throughout; the Robin coefficient is a traced parameter."""
    sizes, speed = ((12, 18), 0.6) if order > 4 else ((20, 30), 0.3)
    (measured,) = study(
        lambda n: heat_1d(kind, n), order, sizes, 0.05, speed, parameters={"D": 0.3, "a": 2.0}
    )
    assert measured > order - 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_heat_on_a_line_second_order(kind: str) -> None:
    (measured,) = study(lambda n: heat_1d(kind, n), 2, (12, 24), 0.05, 0.3, parameters={"D": 0.3, "a": 2.0})
    assert measured == pytest.approx(2, abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(("order", "mixed"), [(2, True), (4, False), (4, True), (6, False)])
def test_heat_on_a_rectangle(order: int, mixed: bool) -> None:
    """Dirichlet along x, Neumann along y, data that depend on the other coordinate and on time."""
    exact = sp.exp(x / 2 + y / 3) * sp.cos(x + 2 * y + t)

    def rate(v: sp.Expr) -> sp.Expr:
        return D * (v.diff(x, 2) + v.diff(y, 2)) + (D * v.diff(x, y) if mixed else 0)

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n), Line("y", 0.0, 1.5, n)]
        u = function("u", lines)
        walls = [dirichlet("u", "x", s, exact.subs(x, s)) for s in (0, 1)]
        walls += [neumann("u", "y", s, exact.diff(y).subs(y, sp.Rational(3, 2) * s)) for s in (0, 1)]
        return lines, {"u": rate(u) + forced(exact, rate)}, {"u": exact}, walls

    (measured,) = study(case, order, (12, 18), 0.05, 0.5, parameters={"D": 0.3})
    assert measured > order - 0.5


@pytest.mark.slow
@pytest.mark.parametrize("order", [4])
def test_heat_in_a_box_with_a_periodic_axis(order: int) -> None:
    """Periodic along x, Dirichlet along y, Robin along z."""
    exact = sp.sin(2 * sp.pi * x) * sp.exp(-t) * sp.cos(y + z) + y * z

    def rate(v: sp.Expr) -> sp.Expr:
        return D * (v.diff(x, 2) + v.diff(y, 2) + v.diff(z, 2))

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n, True), Line("y", 0.0, 1.0, n), Line("z", 0.0, 1.0, n)]
        u = function("u", lines)
        walls = [dirichlet("u", "y", s, exact.subs(y, s)) for s in (0, 1)]
        robin = [(exact.diff(z) + sign * a * exact).subs(z, s) for s, sign in ((0, -1), (1, 1))]
        walls += [
            Wall("u", "z", 0, [(1, 1), (-a, 0)], robin[0]),
            Wall("u", "z", 1, [(1, 1), (a, 0)], robin[1]),
        ]
        return lines, {"u": rate(u) + forced(exact, rate)}, {"u": exact}, walls

    (measured,) = study(case, order, (10, 16), 0.05, 0.2, parameters={"D": 0.1, "a": 1.5})
    assert measured > order - 0.5


@pytest.mark.slow
@pytest.mark.parametrize("order", [4])
def test_variable_coefficients_and_a_nonlinear_source(order: int) -> None:
    """u_t = ∇·((1 + x y) ∇u) + u² - u³ + source on Dirichlet walls."""
    exact = sp.sin(x + t) * sp.cos(y)

    def rate(v: sp.Expr) -> sp.Expr:
        k = 1 + x * y
        return (sp.diff(k * v.diff(x), x) + sp.diff(k * v.diff(y), y)).doit() + v**2 - v**3

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n), Line("y", 0.0, 1.0, n)]
        u = function("u", lines)
        walls = [dirichlet("u", "x", s, exact.subs(x, s)) for s in (0, 1)]
        walls += [dirichlet("u", "y", s, exact.subs(y, s)) for s in (0, 1)]
        return lines, {"u": rate(u) + forced(exact, rate)}, {"u": exact}, walls

    (measured,) = study(case, order, (10, 16), 0.05, 2.0)
    assert measured > order - 0.5


@pytest.mark.parametrize("written", ["expanded", "conservative"])
@pytest.mark.parametrize("order", [2, 4])
def test_burgers(order: int, written: str) -> None:
    exact = sp.sin(x + t) / 2

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        u = function("u", lines)
        source = forced(exact, lambda v: D * v.diff(x, 2) - v * v.diff(x))
        walls = [dirichlet("u", "x", s, exact.subs(x, s)) for s in (0, 1)]
        return lines, {"u": D * u.diff(x, 2) - u * u.diff(x) + source}, {"u": exact}, walls

    u = function("u", [Line("x", 0.0, 1.0, 1)])
    flux = {"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]}
    (measured,) = study(
        case,
        order,
        (12, 20),
        0.1,
        0.3,
        parameters={"D": 0.1},
        conservative=flux if written == "conservative" else None,
    )
    assert measured > order - 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("order", "side"), [(2, 0), (4, 1), (6, 0), (8, 1)])
def test_advection_from_an_inflow_wall(order: int, side: Side) -> None:
    """The outflow side has no condition; the inflow data move, the source varies, and the speed grows along
    the way from the left and falls from the right."""
    exact = sp.sin(4 * (x - t)) + sp.cos(3 * (x + t))

    def rate(v: sp.Expr) -> sp.Expr:
        return (2 * side - 1) * (1 + x / 2) * v.diff(x) - v**2 / 4

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        walls = [dirichlet("u", "x", side, exact.subs(x, side))]
        return lines, {"u": rate(function("u", lines)) + forced(exact, rate)}, {"u": exact}, walls

    sizes, speed = {2: ((24, 48), 4.0), 4: ((24, 48), 4.0), 6: ((20, 30), 8.0), 8: ((12, 18), 8.0)}[order]
    (measured,) = study(case, order, sizes, 0.5, speed, power=1)
    assert measured > order - 0.3


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 4])
def test_dispersion_with_one_and_two_conditions(order: int) -> None:
    exact = sp.exp(x / 2) * sp.sin(x + t)

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        u = function("u", lines)
        walls = [dirichlet("u", "x", s, exact.subs(x, s)) for s in (0, 1)]
        walls.append(neumann("u", "x", 1, exact.diff(x).subs(x, 1)))
        return lines, {"u": -u.diff(x, 3) + forced(exact, lambda v: -v.diff(x, 3))}, {"u": exact}, walls

    (measured,) = study(case, order, (12, 20), 0.02, 1.0, power=3)
    assert measured > order - 0.5


def between(
    lines: list[Line],
    exact: dict[str, sp.Expr],
    rates: Callable[..., dict[str, sp.Expr]],
    given: str,
) -> Case:
    """Fields of first order with the sources of their exact solutions; one is given on either wall of x."""
    here, sources = rates(*(function(name, lines) for name in exact)), rates(*exact.values())
    walls = [dirichlet(name, "x", s, exact[name].subs(x, s)) for s, name in zip((0, 1), given, strict=True)]
    return lines, {k: here[k] + exact[k].diff(t) - sources[k] for k in here}, exact, walls


@pytest.mark.slow
@pytest.mark.parametrize(("order", "given"), [(4, "pv"), (6, "pp"), (8, "pv")])
def test_acoustics_between_walls_that_move(order: int, given: str) -> None:
    """p_t = -4 K v_x and v_t = -p_x with losses and sources; one of the two is given on either side."""
    exact = {
        "p": 2 * sp.sin(3 * x - 6 * t + 1) - 2 * sp.cos(2 * x + 4 * t) + sp.sin(t) * x**2,
        "v": sp.sin(3 * x - 6 * t + 1) + sp.cos(2 * x + 4 * t) + sp.cos(2 * t) * sp.exp(x),
    }

    def rates(p: sp.Expr, v: sp.Expr) -> dict[str, sp.Expr]:
        stiffness = 1 + sp.sin(x + 1) / 2 if order == 6 else 1
        return {"p": -4 * stiffness * v.diff(x) - x * p / 3, "v": -p.diff(x) - v / 2}

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        return between(lines, exact, rates, given)

    (measured,) = study(case, order, (11, 16), 0.2, 24.0, power=1)
    assert measured > order - 0.3


@pytest.mark.slow
@pytest.mark.parametrize(("order", "given"), [(4, "uu"), (6, "pu")])
def test_acoustics_in_a_channel(order: int, given: str) -> None:
    """Rigid walls and walls of given pressure, with data and sources that move along them."""
    exact = {
        "p": sp.sin(3 * x - 2 * t + 2 * sp.pi * y),
        "u": sp.cos(2 * x + t + 2 * sp.pi * y) + x,
        "v": sp.sin(2 * x + t - 2 * sp.pi * y) * sp.exp(x / 2),
    }

    def rates(p: sp.Expr, u: sp.Expr, v: sp.Expr) -> dict[str, sp.Expr]:
        return {"p": -u.diff(x) - v.diff(y), "u": -p.diff(x), "v": -p.diff(y)}

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n), Line("y", 0.0, 1.0, 2 * n, True)]
        return between(lines, exact, rates, given)

    (measured,) = study(case, order, (14, 20), 0.1, 8.0, power=1)
    assert measured > order - 0.6


@pytest.mark.slow
@pytest.mark.parametrize(("accuracy", "given"), [(4, "uu"), (6, "pu")])
def test_acoustics_in_a_channel_do_not_grow(accuracy: int, given: str) -> None:
    """What the operator does, one-sided derivatives in the data of its walls included; losses none."""
    lines = [Line("x", 0.0, 1.0, 14), Line("y", 0.0, 1.0, 8, True)]
    p, u, v = (function(name, lines) for name in "puv")
    rates = {"p": -(1 + x / 2) * (u.diff(x) + v.diff(y)), "u": -p.diff(x), "v": -p.diff(y)}
    walls = [dirichlet(name, "x", s, 0) for s, name in zip((0, 1), given, strict=True)]
    plan = build_plan(build_system(lines, rates, walls=walls), lines, order=accuracy)
    scheme, start, size = build(plan), jnp.asarray(0.0), 15 * 8

    def rate(values: Array) -> Array:
        y = tuple(values.reshape(3, *plan.shape))
        return jnp.stack(scheme.rate(start, scheme.embed(start, y, nominal(plan)), nominal(plan))).ravel()

    matrix = np.asarray(jax.jacfwd(rate)(jnp.zeros(3 * size)))
    free = np.abs(matrix).sum(axis=1) > 0
    values = np.linalg.eigvals(matrix[np.ix_(free, free)])
    assert values.real.max() < 1e-6
    assert np.abs(values).max() < 1.05 * np.sqrt(1.5) * np.hypot(14, 8) * centred_extreme(1, accuracy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "ends"), [(2, "DD"), (4, "DD"), (6, "DD"), (8, "DD"), (6, "DR"), (8, "RN")]
)
def test_waves_between_walls_that_move(order: int, ends: str) -> None:
    """(c w_x)_x less damping and a spring: the rate inherits the time derivative of the data."""
    exact = sp.sin(3 * x - 3 * t + 1) + sp.cos(2 * x + 2 * t)

    def force(w: sp.Expr) -> sp.Expr:
        return sp.diff((1 + a * x) * w.diff(x), x).doit() - sp.sin(w) / 3

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        w, v = function("w", lines), function("v", lines)
        source = exact.diff(t, 2) - force(exact) + exact.diff(t) / 5
        walls = []
        for side, kind in zip((0, 1), ends, strict=True):
            terms = {"D": [(1, 0)], "N": [(1, 1)], "R": [(1, 1), (4 * side - 2, 0)]}[kind]
            data = sum(c * exact.diff(x, m) for c, m in terms).subs(x, side)
            walls.append(Wall("w", "x", side, terms, data))
        return lines, {"w": v, "v": force(w) - v / 5 + source}, {"w": exact, "v": exact.diff(t)}, walls

    sizes, speed = ((11, 16), 12.0) if order > 4 else ((16, 32), 4.0)
    (measured,) = study(case, order, sizes, 0.4, speed, power=1, rate_of={"v": "w"}, parameters={"a": 0.5})
    assert measured > order - 0.3


@pytest.mark.slow
@pytest.mark.parametrize("order", [6, 8])
def test_waves_on_a_rectangle(order: int) -> None:
    """Given values that move along and across the walls, a slope on one of them, a speed that varies."""
    exact = sp.exp(x / 2 - y / 3) * sp.cos(2 * x + y - 2 * t)

    def force(w: sp.Expr) -> sp.Expr:
        speed = 1 + x * y / 2
        return (sp.diff(speed * w.diff(x), x) + sp.diff(speed * w.diff(y), y)).doit()

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n), Line("y", 0.0, 1.5, n)]
        w, v = function("w", lines), function("v", lines)
        walls = [dirichlet("w", "x", s, exact.subs(x, s)) for s in (0, 1)]
        walls += [dirichlet("w", "y", 0, exact.subs(y, 0))]
        walls += [neumann("w", "y", 1, exact.diff(y).subs(y, sp.Rational(3, 2)))]
        rates = {"w": v, "v": force(w) + exact.diff(t, 2) - force(exact)}
        return lines, rates, {"w": exact, "v": exact.diff(t)}, walls

    (measured,) = study(case, order, (14, 20), 0.2, 12.0 if order < 8 else 40.0, power=1, rate_of={"v": "w"})
    assert measured > order - 0.3


ENDS = {"supported": ((0, 2), (0, 2)), "clamped": ((0, 1), (0, 1)), "cantilever": ((0, 1), (2, 3))}


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("ends", ENDS)
def test_beams(ends: str, order: int) -> None:
    """w_tt = -w_xxxx + source, two conditions with data that move at either end."""
    exact = sp.exp(x) * sp.sin(2 * x) * sp.cos(3 * t)

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        w, v = function("w", lines), function("v", lines)
        source = forced(exact.diff(t), lambda _: -exact.diff(x, 4))
        walls = [
            Wall("w", "x", side, [(1, m)], exact.diff(x, m).subs(x, side))
            for side, pair in zip((0, 1), ENDS[ends], strict=True)
            for m in pair
        ]
        return lines, {"w": v, "v": -w.diff(x, 4) + source}, {"w": exact}, walls

    (measured,) = study(case, order, (12, 32), 0.1, 0.8, power=2, rate_of={"v": "w"})
    assert measured > order - 0.4


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 4, 6])
def test_schroedinger_in_a_well(order: int) -> None:
    exact = sp.exp(-2 * sp.I * sp.pi**2 * t) * sp.sin(2 * sp.pi * x)

    def case(n: int) -> Case:
        lines = [Line("x", 0.0, 1.0, n)]
        psi = function("psi", lines)
        return lines, {"psi": sp.I / 2 * psi.diff(x, 2)}, {"psi": exact}, both(dirichlet, "psi", "x")

    (measured,) = study(case, order, (16, 24), 0.05, 0.5, complex_unknowns=["psi"])
    assert measured > order - 0.5
