"""Multipliers, potentials and the projection, all found from where an unknown stands."""

from collections.abc import Sequence

import numpy as np
import pytest
import sympy as sp

from nablax.backends.interface import Unsupported
from nablax.backends.spectral import build as build_scheme
from nablax.system import System
from tests.numerics.spectral.runs import circle, error, final, function, nodes, solver_for, x, y
from tests.numerics.systems import Line, build_plan, build_system

nu = sp.Symbol("nu", real=True)
t = sp.Symbol("t", real=True)


def navier_stokes(
    lines: Sequence[Line], initial: dict[str, sp.Expr], extra: dict[str, sp.Expr] | None = None
) -> System:
    u, v, p = (function(name, lines) for name in ("u", "v", "p"))
    force = extra or {}
    return build_system(
        lines,
        {
            "u": nu * (u.diff(x, 2) + u.diff(y, 2))
            - u * u.diff(x)
            - v * u.diff(y)
            - p.diff(x)
            + force.get("u", 0),
            "v": nu * (v.diff(x, 2) + v.diff(y, 2))
            - u * v.diff(x)
            - v * v.diff(y)
            - p.diff(y)
            + force.get("v", 0),
        },
        initial=initial,
        parameters={"nu": 0.05},
        conservative={
            "u": [(-1, {"x": 1}, u**2), (-1, {"y": 1}, u * v)],
            "v": [(-1, {"x": 1}, u * v), (-1, {"y": 1}, v**2)],
        },
        algebraic=["p"],
        constraints={"mass": u.diff(x) + v.diff(y)},
    )


def divergence(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    n = u.shape[0]
    k = np.fft.fftfreq(n, 1 / n)
    k = np.where(np.abs(k) == n / 2, 0, k)
    return np.fft.ifft2(1j * k[:, None] * np.fft.fft2(u) + 1j * k[None, :] * np.fft.fft2(v)).real


@pytest.mark.parametrize(
    "stepper", ["etdrk4", *(pytest.param(s, marks=pytest.mark.slow) for s in ("imex", "rk4"))]
)
def test_vortices_in_a_wind(stepper: str) -> None:
    lines = [circle("x", 32), circle("y", 32)]
    system = navier_stokes(lines, {"u": 1 + sp.sin(x) * sp.cos(y), "v": 0.5 - sp.cos(x) * sp.sin(y)})
    solver = solver_for(system, lines, stepper, dt=0.01)
    got = final(solver)
    a, b = nodes(lines)
    a, b = a - 1, b - 0.5
    decay = np.exp(-2 * 0.05)
    assert error(got["u"], 1 + decay * np.sin(a) * np.cos(b)) < 1e-8
    assert error(got["v"], 0.5 - decay * np.cos(a) * np.sin(b)) < 1e-8
    assert error(got["p"], decay**2 * (np.cos(2 * a) + np.cos(2 * b)) / 4) < 1e-7
    assert np.abs(divergence(got["u"], got["v"])).max() < 1e-13
    assert abs(got["p"].mean()) < 1e-15


def test_products_are_shared() -> None:
    lines = [circle("x", 8), circle("y", 8)]
    system = navier_stokes(lines, {"u": sp.S.Zero, "v": sp.S.Zero})
    scheme = build_scheme(build_plan(system, lines, method="spectral"))
    assert scheme.transform_count == 5
    assert scheme.structure.commuting is not None


def test_initial_data_are_projected() -> None:
    lines = [circle("x", 16), circle("y", 16)]
    system = navier_stokes(lines, {"u": sp.sin(x) * sp.cos(2 * y) + 1, "v": sp.cos(3 * x) * sp.sin(y)})
    solver = solver_for(system, lines)
    fields = {name: np.asarray(a) for name, a in solver.fields(solver.initial()).items()}
    assert np.abs(divergence(fields["u"], fields["v"])).max() < 1e-14
    assert abs(fields["u"].mean() - 1) < 1e-15


def test_a_projection_that_does_not_commute() -> None:
    # Different viscosities and a rotation: P L has to be taken as one matrix.
    lines = [circle("x", 16), circle("y", 16)]
    u, v, p = (function(name, lines) for name in ("u", "v", "p"))
    common = {"algebraic": ["p"], "constraints": {"mass": u.diff(x) + v.diff(y)}}
    start = {"u": -sp.diff(sp.sin(x + 2 * y), y) * -1, "v": -sp.diff(sp.sin(x + 2 * y), x)}
    system = build_system(
        lines,
        {
            "u": 0.1 * (u.diff(x, 2) + u.diff(y, 2)) + v - p.diff(x),
            "v": 0.3 * (v.diff(x, 2) + v.diff(y, 2)) - u - p.diff(y),
        },
        initial=start,
        **common,
    )
    exact_steps = final(solver_for(system, lines, "etdrk4", dt=0.5, dealias=1.0))
    small_steps = final(solver_for(system, lines, "rk4", dt=0.005, dealias=1.0))
    assert build_scheme(build_plan(system, lines, method="spectral")).structure.commuting is None
    # One mode (1, 2): with k·û = 0 the motion is a decay at the viscosities' projected mean.
    k = np.array([1.0, 2.0])
    across = np.array([2.0, -1.0]) / np.sqrt(5)
    rate = across @ np.array([[-0.1 * 5, 1], [-1, -0.3 * 5]]) @ across
    a, b = nodes(lines)
    for name, amplitude in (("u", 2.0), ("v", -1.0)):
        exact = amplitude * np.exp(rate) * np.cos(k[0] * a + k[1] * b)
        assert error(exact_steps[name], exact) < 1e-12
        assert error(small_steps[name], exact) < 1e-9


def test_a_constraint_with_a_source_that_moves() -> None:
    # div U = h(x, t), the divergence-free part decays: U = grad φ with Δφ = h.
    lines = [circle("x", 16), circle("y", 16)]
    u, v, p = (function(name, lines) for name in ("u", "v", "p"))
    source = sp.sin(3 * t) * sp.cos(x + y)
    for stepper in ("etdrk4", "rk4"):
        system = build_system(
            lines,
            {"u": u.diff(x, 2) + u.diff(y, 2) - p.diff(x), "v": v.diff(x, 2) + v.diff(y, 2) - p.diff(y)},
            initial={"u": sp.S.Zero, "v": sp.S.Zero},
            algebraic=["p"],
            constraints={"mass": u.diff(x) + v.diff(y) - source},
        )
        got = final(solver_for(system, lines, stepper, dt=0.01, dealias=1.0))
        a, b = nodes(lines)
        assert error(got["u"], np.sin(3) * np.sin(a + b) / 2) < 1e-10
        # p_x = u_xx + u_yy - u_t
        pressure = (2 * np.sin(3) + 3 * np.cos(3)) * np.cos(a + b) / 2
        assert error(got["p"], pressure) < 1e-7


def test_vorticity_and_stream_function() -> None:
    # A potential that the nonlinear part reads: ω_t = -(ψ_y ω)_x + (ψ_x ω)_y + ν Δω, Δψ = -ω.
    lines = [circle("x", 24), circle("y", 24)]
    w, psi = function("w", lines), function("psi", lines)
    system = build_system(
        lines,
        {"w": nu * (w.diff(x, 2) + w.diff(y, 2)) - psi.diff(y) * w.diff(x) + psi.diff(x) * w.diff(y)},
        initial={"w": 2 * sp.cos(x) * sp.cos(y) + sp.cos(3 * x)},
        parameters={"nu": 0.05},
        conservative={"w": [(-1, {"x": 1}, psi.diff(y) * w), (1, {"y": 1}, psi.diff(x) * w)]},
        algebraic=["psi"],
        constraints={"stream": psi.diff(x, 2) + psi.diff(y, 2) + w},
    )
    got = final(solver_for(system, lines, dt=0.005))
    twin = navier_stokes(
        lines,
        {"u": -2 * sp.cos(x) * sp.sin(y) / 2, "v": sp.sin(x) * sp.cos(y) + sp.sin(3 * x) / 3},
    )
    primitive = final(solver_for(twin, lines, dt=0.005))
    k = np.fft.fftfreq(24, 1 / 24)
    vorticity = np.fft.ifft2(
        1j * k[:, None] * np.fft.fft2(primitive["v"]) - 1j * k[None, :] * np.fft.fft2(primitive["u"])
    ).real
    assert error(got["w"], vorticity) < 1e-8
    laplacian = np.fft.ifft2(-(k[:, None] ** 2 + k[None, :] ** 2) * np.fft.fft2(got["psi"])).real
    assert error(-laplacian, got["w"]) < 1e-12
    assert abs(got["psi"].mean()) < 1e-15


def test_a_potential_of_a_nonlinear_source() -> None:
    # 0 = φ_xx + u² - mean, u_t = φ_x: evaluated before the right-hand side in each stage.
    lines = [circle("x", 32)]
    u, phi = function("u", lines), function("phi", lines)
    system = build_system(
        lines,
        {"u": phi.diff(x)},
        initial={"u": sp.sin(x)},
        algebraic=["phi"],
        constraints={"poisson": phi.diff(x, 2) + u**2},
    )
    solver = solver_for(system, lines, "rk4", dt=0.01)
    fields = solver.fields(solver.initial())
    (s,) = nodes(lines)
    assert error(np.asarray(fields["phi"]), -np.cos(2 * s) / 8) < 1e-13
    explicit = final(solver)["u"]
    assert error(final(solver_for(system, lines, "etdrk4", dt=0.01))["u"], explicit) < 1e-9


def test_stokes_flow_driven_by_a_field() -> None:
    # Three coupled algebraic unknowns: velocity and pressure of a slow flow, forced by c.
    lines = [circle("x", 8), circle("y", 8)]
    q, u, v, p = (function(name, lines) for name in ("q", "u", "v", "p"))
    system = build_system(
        lines,
        {"q": -u * q.diff(x) - v * q.diff(y)},
        initial={"q": sp.cos(x) * sp.cos(y)},
        algebraic=["u", "v", "p"],
        constraints={
            "x": u.diff(x, 2) + u.diff(y, 2) - p.diff(x),
            "y": v.diff(x, 2) + v.diff(y, 2) - p.diff(y) + q,
            "mass": u.diff(x) + v.diff(y),
        },
    )
    solver = solver_for(system, lines, "rk4", dt=0.01)
    got = {name: np.asarray(a) for name, a in solver.fields(solver.initial()).items()}
    a, b = nodes(lines)
    assert np.abs(divergence(got["u"], got["v"])).max() < 1e-14
    # Modes (±1, ±1), k² = 2: v = (1 - k_y²/k²)/k² q, p from its gradient along y.
    assert error(got["v"], np.cos(a) * np.cos(b) / 4) < 1e-13
    assert error(got["u"], np.sin(a) * np.sin(b) / 4) < 1e-13
    assert error(got["p"], np.cos(a) * np.sin(b) / 2) < 1e-13


def test_what_does_not_fit_is_refused() -> None:
    lines = [circle("x", 8)]
    u, p = function("u", lines), function("p", lines)
    system = build_system(
        lines,
        {"u": -p.diff(x) * u},
        initial={"u": sp.sin(x)},
        algebraic=["p"],
        constraints={"mass": u.diff(x)},
    )
    with pytest.raises(Unsupported, match="must enter linearly"):
        build_scheme(build_plan(system, lines, method="spectral"))
