"""Fractional derivatives between walls: published and computed errors of the schemes, orders, limits."""

from itertools import pairwise
from math import gamma, log2

import numpy as np
import pytest

from nablax import parse
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver

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
    """The compiled right-hand side, which is linear, as a matrix on all nodes."""
    solver = solver_of(right, n, axes, walls=walls)
    return np.stack([np.asarray(solver.rhs(0.0, (e,), params)[0]) for e in np.eye(n + 1)], axis=1)


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


def two_sided(a: float, n: int) -> float:
    """Error of (D from the left + D from the right) u = f with u = x³(1 - x)³."""
    x = np.linspace(0, 1, n + 1)
    matrix = matrix_of(f"rl(u, x, {a}) + gl(u, x, {a}, side=right)", n)
    found = at_rest(matrix, bump(a, x) + bump(a, 1 - x), {0: 0.0, n: 0.0})
    return float(np.abs(found - (x * (1 - x)) ** 3).max())


def test_two_sided_problem() -> None:
    """Weighted shifted Grünwald differences: errors computed with NumPy by a dense matrix, order 2."""
    errors = [two_sided(1.5, n) for n in (32, 64, 128)]
    assert errors == pytest.approx([5.736882878e-05, 1.431813464e-05, 3.578520978e-06], rel=0.02)
    assert all(abs(r - 2) < 0.03 for r in rates(errors))
    assert two_sided(1.2, 64) == pytest.approx(1.547189728453094e-05, rel=0.02)
    assert two_sided(1.8, 64) == pytest.approx(1.105949617985838e-05, rel=0.02)


def ball(a: float, n: int) -> float:
    """Largest error of (-Δ)^(a/2) u = Γ(1 + a) on (-1, 1), u = (1 - x²)^(a/2) (R. K. Getoor, 1961)."""
    x = np.linspace(-1, 1, n + 1)
    matrix = matrix_of(f"fraclap(u, {a / 2}, kind=integral)", n, "x in [-1, 1]")
    found = at_rest(matrix, np.full(n + 1, gamma(1 + a)), {0: 0.0, n: 0.0})
    return float(np.abs(found - (1 - x**2) ** (a / 2)).max())


def test_integral_kind_of_a_field_with_an_edge() -> None:
    """Order a/2 where the field has the edge (1 - x²)^(a/2): that is what differences can do."""
    cases = ((1.0, (0.02865589258078788, 0.020187227552654008)), (1.5, (0.0101669894, 0.0060305091)))
    for a, wanted in cases:
        errors = [ball(a, n) for n in (64, 128)]
        assert errors == pytest.approx(wanted, rel=0.02)
        assert rates(errors)[0] == pytest.approx(a / 2, abs=0.02)
    assert ball(0.4, 512) == pytest.approx(0.031050580246614945, rel=0.02)  # products by the FFT


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


def crank_nicolson(right: str, source: np.ndarray, n: int) -> float:
    """Error at t = 1 of u = e^(-t) x³(1 - x)³ with steps of 1/n; `source` at t = 0, decaying like e^(-t)."""
    x = np.linspace(0, 1, n + 1)
    start, matrix = (x * (1 - x)) ** 3, matrix_of(right, n)
    inner, h = slice(1, n), 1 / n
    half = h / 2 * matrix[inner, inner]
    one, u = np.eye(n - 1), start[inner]
    for step in range(n):
        force = h * source[inner] * np.exp(-(step + 0.5) * h)
        u = np.linalg.solve(one - half, (one + half) @ u + force)
    return float(np.abs(u - np.exp(-1) * start[inner]).max())


def test_space_fractional_diffusion() -> None:
    """Crank–Nicolson on the compiled right-hand side, h = dt: errors computed with NumPy, order 2."""
    errors = []
    for n in (16, 32):
        x = np.linspace(0, 1, n + 1)
        source = -((x * (1 - x)) ** 3) - bump(1.5, x) - bump(1.5, 1 - x)
        errors.append(crank_nicolson("rl(u, x, 1.5) + rl(u, x, 1.5, side=right)", source, n))
    assert errors == pytest.approx([8.883115165613745e-05, 2.189027799724859e-05], rel=0.02)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.4, 1.7, [3.5898491589993024e-05, 8.691019057500277e-06]),
        (0.8, 1.2, [2.4851501519917822e-05, 6.0736644863466915e-06]),
    ],
)
def test_riesz_advection_and_dispersion(low: float, high: float, wanted: list[float]) -> None:
    errors = []
    for n in (16, 32):
        x = np.linspace(0, 1, n + 1)
        source = -((x * (1 - x)) ** 3)
        for k, a in ((0.5, low), (0.25, high)):
            source = source + k * (bump(a, x) + bump(a, 1 - x)) / (2 * np.cos(np.pi * a / 2))
        errors.append(crank_nicolson(f"0.5*riesz(u, x, {low}) + 0.25*riesz(u, x, {high})", source, n))
    assert errors == pytest.approx(wanted, rel=0.02)


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
