"""Fractional derivatives between walls: published and computed errors of the schemes, orders, limits."""

from itertools import pairwise
from math import gamma, log2

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

pytestmark = pytest.mark.brief

EVOLUTION = """
space {{ {axes} }}
time {{ t in [0, 1] }}
fields {{ u }}
params {{ a = 1; K = 0.3 }}
equations {{ dt(u) = {right} }}
initial {{ u = {start} }}
boundary {{ {walls} }}
solve {{ n = {n}; {solve} }}
"""
UNIT = "x in [0, 1]"


def solver_of(
    right: str, n: int, axes: str = UNIT, start: str = "0", walls: str = "all: u = 0", solve: str = ""
) -> Solver:
    text = EVOLUTION.format(axes=axes, right=right, start=start, walls=walls, n=n, solve=solve)
    solver = parse(text).compile()
    assert isinstance(solver, Solver)
    return solver


def matrix_of(right: str, n: int, axes: str = UNIT, walls: str = "all: u = 0", **params: float) -> np.ndarray:
    return linear_part(solver_of(right, n, axes, walls=walls), **params)


def linear_part(solver: Solver, **params: float) -> np.ndarray:
    """The compiled right-hand side, which is linear, as a matrix on all nodes of one axis."""
    (points,) = solver.plan.shape
    return np.asarray(jax.jit(jax.vmap(lambda e: solver.rhs(0.0, (e,), params)[0]))(jnp.eye(points))).T


def at_rest(matrix: np.ndarray, right: np.ndarray, walls: dict[int, float]) -> np.ndarray:
    """The u with matrix u = right where no wall gives its value."""
    inner = [i for i in range(len(right)) if i not in walls]
    u = np.zeros(len(right))
    u[list(walls)] = list(walls.values())
    u[inner] = np.linalg.solve(matrix[np.ix_(inner, inner)], (right - matrix @ u)[inner])
    return u


def rates(errors: list[float]) -> list[float]:
    return [log2(a / b) for a, b in pairwise(errors)]


def bump(a: float, y: np.ndarray) -> np.ndarray:
    """The one-sided derivative of order a of y³(1 - y)³, y the distance from the base."""
    signs = [(1, 3), (-3, 4), (3, 5), (-1, 6)]
    return np.asarray(sum(c * gamma(m + 1) / gamma(m + 1 - a) * y ** (m - a) for c, m in signs))


def test_two_sided_problem() -> None:
    """(D from the left + D from the right) u = f with u = x³(1 - x)³ by weighted shifted Grünwald
    differences: errors computed with NumPy by a dense matrix, order 2."""
    table = {
        1.2: [6.161971450077339e-05, 1.547189728453094e-05],
        1.5: [5.7368828787325576e-05, 1.4318134640541047e-05],
        1.8: [4.461942519198847e-05, 1.105949617985838e-05],
    }
    found: dict[float, list[float]] = {a: [] for a in table}
    for n in (32, 64):
        x = np.linspace(0, 1, n + 1)
        solver = solver_of("rl(u, x, 1 + a/2) + gl(u, x, 1 + a/2, side=right)", n)
        for a, errors in found.items():
            matrix = linear_part(solver, a=2 * a - 2)
            u = at_rest(matrix, bump(a, x) + bump(a, 1 - x), {0: 0.0, n: 0.0})
            errors.append(float(np.abs(u - (x * (1 - x)) ** 3).max()))
    for a, errors in found.items():
        assert errors == pytest.approx(table[a], rel=0.02)
        assert abs(rates(errors)[0] - 2) < 0.03


@pytest.fixture(scope="module")
def edges() -> dict[tuple[float, int], float]:
    """Largest error of (-Δ)^(a/2) u = Γ(1 + a) on (-1, 1), u = (1 - x²)^(a/2) (R. K. Getoor, 1961)."""
    found = {}
    for n, orders in ((64, (0.4, 1.0, 1.5, 1.9)), (128, (0.4, 1.0, 1.5, 1.9)), (512, (0.4,))):
        x = np.linspace(-1, 1, n + 1)
        solver = solver_of("fraclap(u, a/2, kind=integral)", n, "x in [-1, 1]")
        for a in orders:
            u = at_rest(linear_part(solver, a=a), np.full(n + 1, gamma(1 + a)), {0: 0.0, n: 0.0})
            found[a, n] = float(np.abs(u - (1 - x**2) ** (a / 2)).max())
    return found


@pytest.mark.parametrize(
    ("a", "wanted"),
    [
        (0.4, [0.047520089043423086, 0.041140366943576756]),
        (1.0, [0.02865589258078788, 0.020187227552654008]),
        (1.5, [0.010166989433522094, 0.006030509101754622]),
        (1.9, [0.0015346617138444762, 0.0007922996791530634]),
    ],
)
def test_integral_kind_of_a_field_with_an_edge(
    edges: dict[tuple[float, int], float], a: float, wanted: list[float]
) -> None:
    """Order a/2 where the field has the edge (1 - x²)^(a/2): that is what differences can do."""
    errors = [edges[a, n] for n in (64, 128)]
    assert errors == pytest.approx(wanted, rel=0.02)
    assert rates(errors)[0] == pytest.approx(a / 2, abs=0.02)
    if a == 0.4:
        assert edges[a, 512] == pytest.approx(0.031050580246614945, rel=0.02)  # products by the FFT


def caputo(a: float, n: int, side: str) -> float:
    y = np.linspace(0, 1, n + 1) if side == "left" else np.linspace(1, 0, n + 1)
    coefficients = {0: 1, 1: -2, 2: 1, 3: 1}
    u = sum(c * y**m for m, c in coefficients.items())
    away = np.where(y > 0, y, 1)
    slope = sum(
        c * gamma(m + 1) / gamma(m + 1 - a) * away ** (m - a) for m, c in coefficients.items() if m >= a
    )
    base, far = (0, n) if side == "left" else (n, 0)
    walls = {base: 1.0} | ({far: 1.0} if a > 1 else {})
    stated = "; ".join(f"x = {k // n}: u = 1" for k in walls)
    sign = -1 if a > 1 else 1
    matrix = matrix_of(f"caputo(u, x, {a}, side={side})", n, walls=stated)
    found = at_rest(matrix + sign * np.eye(n + 1), slope + sign * u, walls)
    return float(np.abs(found - u).max())


@pytest.mark.parametrize(("a", "side"), [(0.6, "left"), (1.4, "right")])
def test_caputo_with_values_at_the_base(a: float, side: str) -> None:
    """Order 2 although the field neither vanishes nor is flat at the base."""
    errors = [caputo(a, n, side) for n in (32, 64, 128)]
    assert errors[-1] < 2e-4
    assert all(r > 1.95 for r in rates(errors))


@pytest.mark.slow
def test_rest_by_preconditioned_iteration() -> None:
    """The same system through `nablax.solve`: GMRES with the τ preconditioner against a dense solve."""
    text = """
    space { x in [0, 1] }
    fields { u }
    equations { rl(u, x, 1.5) + gl(u, x, 1.5, side=right) = sin(3*x) }
    boundary { all: u = 0 }
    solve { n = 48 }
    """
    solver = parse(text).compile()
    assert isinstance(solver, SteadySolver)
    matrix = matrix_of("rl(u, x, 1.5) + gl(u, x, 1.5, side=right)", 48)
    wanted = at_rest(matrix, np.sin(3 * np.linspace(0, 1, 49)), {0: 0.0, 48: 0.0})
    assert np.allclose(solver.solve().fields["u"], wanted, rtol=0, atol=1e-11)


def crank_nicolson(matrix: np.ndarray, source: np.ndarray) -> float:
    """Error at t = 1 of u = e^(-t) x³(1 - x)³ with steps of 1/n; `source` at t = 0, decaying like e^(-t)."""
    n = len(source) - 1
    x, h = np.linspace(0, 1, n + 1), 1 / n
    start, inner = (x * (1 - x)) ** 3, slice(1, n)
    half = h / 2 * matrix[inner, inner]
    one, u = np.eye(n - 1), start[inner]
    for step in range(n):
        force = h * source[inner] * np.exp(-(step + 0.5) * h)
        u = np.linalg.solve(one - half, (one + half) @ u + force)
    return float(np.abs(u - np.exp(-1) * start[inner]).max())


def test_space_fractional_diffusion() -> None:
    """Crank–Nicolson on the compiled right-hand side, h = dt: errors computed with NumPy, order 2."""
    table = {
        1.5: [8.883115165613745e-05, 2.189027799724859e-05],
        1.8: [6.682469925066003e-05, 1.6224623521498768e-05],
    }
    found: dict[float, list[float]] = {a: [] for a in table}
    for n in (16, 32):
        x = np.linspace(0, 1, n + 1)
        solver = solver_of("rl(u, x, 1 + a/2) + rl(u, x, 1 + a/2, side=right)", n)
        for a, errors in found.items():
            source = -((x * (1 - x)) ** 3) - bump(a, x) - bump(a, 1 - x)
            errors.append(crank_nicolson(linear_part(solver, a=2 * a - 2), source))
    for a, errors in found.items():
        assert errors == pytest.approx(table[a], rel=0.02)
        assert rates(errors)[0] == pytest.approx(2, abs=0.05)


def test_riesz_advection_and_dispersion() -> None:
    table = {
        (0.4, 1.7): [3.5898491589993024e-05, 8.691019057500277e-06],
        (0.8, 1.2): [2.4851501519917822e-05, 6.0736644863466915e-06],
    }
    found: dict[tuple[float, float], list[float]] = {pair: [] for pair in table}
    for n in (16, 32):
        x = np.linspace(0, 1, n + 1)
        solver = solver_of("0.5*riesz(u, x, K) + 0.25*riesz(u, x, a)", n)
        for (low, high), errors in found.items():
            source = -((x * (1 - x)) ** 3)
            for k, order in ((0.5, low), (0.25, high)):
                source = source + k * (bump(order, x) + bump(order, 1 - x)) / (2 * np.cos(np.pi * order / 2))
            errors.append(crank_nicolson(linear_part(solver, K=low, a=high), source))
    for pair, errors in found.items():
        assert errors == pytest.approx(table[pair], rel=0.02)
        assert rates(errors)[0] == pytest.approx(2, abs=0.05)


def rate_of(right: str, start: str, n: int = 24, axes: str = UNIT, **params: float) -> np.ndarray:
    solver = solver_of(right, n, axes, start)
    return np.asarray(solver.rhs(0.0, solver.initial(params), params)[0])


def test_limits_and_signs() -> None:
    """Order 2 is the second difference; the integral kind is minus the Riesz derivative of order 2s; no
    tempering at rate 0; the normalised form takes off λ^α u and α λ^(α-1) u'."""
    start = "x^2*(1 - x)^2"
    u = (np.linspace(0, 1, 25) * np.linspace(1, 0, 25)) ** 2
    second = np.zeros(25)
    second[1:-1] = np.diff(u, 2) * 24**2
    for right in ("riesz(u, x, 2*a)", "rl(u, x, 2*a, side=right)", "-fraclap(u, a, kind=integral)"):
        assert np.allclose(rate_of(right, start), second, rtol=0, atol=1e-11), right
    riesz = rate_of("riesz(u, x, 1.4)", start)
    assert np.allclose(rate_of("fraclap(u, 0.7, kind=integral)", start), -riesz, rtol=0, atol=1e-12)
    plain = rate_of("rl(u, x, 1.4)", start)
    assert np.allclose(rate_of("tempered(u, x, 1.4, 0)", start), plain, rtol=0, atol=1e-12)
    full, bare = (rate_of(f"tempered(u, x, 1.4, 0.5{option})", start) for option in ("", ", normalised=yes"))
    slope = (u[2:] - u[:-2]) * 12
    assert np.allclose((full - bare)[1:-1], 0.5**1.4 * u[1:-1] + 1.4 * 0.5**0.4 * slope, rtol=0, atol=1e-12)


def test_a_field_known_outside() -> None:
    """(-Δ)^(1/2) of 1/(1 + x²), on an interval of the line: order 2 up to the walls."""
    errors = []
    for n in (16, 32):
        right = "fraclap(u, K/0.6, kind=integral, exterior=1/(1 + x^2))"
        walls = "x = -1: u = 1/2; x = 2: u = 1/5"
        solver = solver_of(right, n, "x in [-1, 2]", "1/(1 + x^2)", walls)
        x = np.linspace(-1, 2, n + 1)
        exact = (1 - x**2) / (1 + x**2) ** 2
        rate = np.asarray(solver.rhs(0.0, solver.initial())[0])
        errors.append(float(np.abs(rate - exact)[1:-1].max()))
    assert errors[-1] < 5e-3
    assert rates(errors)[0] > 1.9


def test_along_one_axis_of_a_box() -> None:
    """Operators along single axes, bounded and periodic, act line by line and add up."""
    axes, start = "x in [0, 1]; y in [0, 2*pi] periodic", "x^3*(1 - x)^3*cos(3*y)"
    both = rate_of("riesz(u, x, 1.3) + riesz(u, y, 0.8)", start, 16, axes)
    line = rate_of("riesz(u, x, 1.3)", "x^3*(1 - x)^3", 16)
    x, y = np.linspace(0, 1, 17), 2 * np.pi * np.arange(16) / 16
    exact = np.outer(line - 3**0.8 * (x * (1 - x)) ** 3, np.cos(3 * y))
    assert np.allclose(both[1:-1], exact[1:-1], rtol=0, atol=1e-12)


@pytest.mark.slow
def test_implicit_steps_agree_with_explicit_ones() -> None:
    """Different orders per axis: GMRES with the τ preconditioner against small steps."""
    right = "riesz(u, x, 1.6) + rl(u, y, 1.4) + rl(u, y, 1.4, side=right)/2"
    ends = []
    for step in ("dopri5", "implicit"):
        start, solve = "sin(pi*x)^2*sin(pi*y)^2", f"step = {step}; tol = 1e-8"
        solver = solver_of(right, 10, f"{UNIT}; y in [0, 1]", start, solve=solve)
        ends.append(np.asarray(solver.solve(save_at=[0.02]).fields["u"][-1]))
    assert np.abs(ends[0] - ends[1]).max() < 1e-6


def test_the_step_that_stability_allows() -> None:
    """Forward Euler under K (-Δ)^(b/2) along d axes: dt <= 2 h^b / (K d 2^b)."""
    for axes, right, d in (
        (UNIT, "K*riesz(u, x, 1.4)", 1),
        (f"{UNIT}; y in [0, 1]", "K*riesz(u, x, 1.4) + K*riesz(u, y, 1.4)", 2),
    ):
        bound = solver_of(right, 20, axes, solve="step = euler").plan.stepping.bound
        assert bound == pytest.approx(2 * 0.05**1.4 / (0.3 * d * 2**1.4), rel=1e-3)
