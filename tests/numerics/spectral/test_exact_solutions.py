"""Fourier runs against exact solutions, smooth enough that only rounding and the step are left."""

from math import pi

import numpy as np
import pytest
import sympy as sp

from tests.numerics.spectral.runs import circle, error, final, function, nodes, solver_for, with_mass, x, y, z
from tests.numerics.systems import build_system

c, nu, a, b = (sp.Symbol(s, real=True) for s in ("c", "nu", "a", "b"))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_advection_diffusion(dimension: int) -> None:
    lines = [circle("x", 16), circle("y", 12, 4 * pi), circle("z", 8, pi)][:dimension]
    u = function("u", lines)
    symbols = [line.symbol for line in lines]
    speeds = [1.0, -0.5, 0.25][:dimension]
    rate = nu * sum(u.diff(s, 2) for s in symbols) - sum(
        v * u.diff(s) for v, s in zip(speeds, symbols, strict=True)
    )
    waves = [2 * pi * m / line.upper for m, line in zip((3, 1, 2), lines, strict=False)]
    phase = sum(k * s for k, s in zip(waves, symbols, strict=True))
    system = build_system(lines, {"u": rate}, initial={"u": sp.sin(phase) + 2}, parameters={"nu": 0.05})
    got = final(solver_for(system, lines, dt=1.0, dealias=1.0))["u"]
    points = nodes(lines)
    decay = np.exp(-0.05 * sum(k * k for k in waves))
    shifted = sum(k * (p - v) for k, p, v in zip(waves, points, speeds, strict=True))
    assert error(got, 2 + decay * np.sin(shifted)) < 1e-12


def test_linear_dispersion() -> None:
    lines = [circle("x", 32)]
    u = function("u", lines)
    system = build_system(
        lines, {"u": -u.diff(x, 3) + u.diff(x, 5)}, initial={"u": sp.cos(4 * x) + sp.sin(x)}
    )
    got = final(solver_for(system, lines, dt=0.25))["u"]
    (s,) = nodes(lines)
    assert error(got, np.cos(4 * s + (4**3 + 4**5)) + np.sin(s + 2)) < 1e-10


def test_schroedinger_plane_wave() -> None:
    lines = [circle("x", 16)]
    psi = function("psi", lines)
    rate = sp.I * (psi.diff(x, 2) / 2 - sp.Abs(psi) ** 2 * psi)
    system = build_system(
        lines, {"psi": sp.expand(rate)}, initial={"psi": 0.5 * sp.exp(3 * sp.I * x)}, complex_unknowns=["psi"]
    )
    got = final(solver_for(system, lines, dt=0.005, dealias=0.5))["psi"]
    (s,) = nodes(lines)
    assert error(got, 0.5 * np.exp(1j * (3 * s - (4.5 + 0.25)))) < 1e-10


def test_schroedinger_soliton() -> None:
    lines = [circle("x", 256, 40.0, -20.0)]
    psi = function("psi", lines)
    rate = sp.I * psi.diff(x, 2) / 2 + sp.I * sp.Abs(psi) ** 2 * psi
    start = sp.sech(x) * sp.exp(sp.I * x)
    system = build_system(lines, {"psi": rate}, initial={"psi": start}, complex_unknowns=["psi"])
    got = final(solver_for(system, lines, dt=0.0025, dealias=1.0))["psi"]
    (s,) = nodes(lines)
    assert error(got, np.exp(1j * s) / np.cosh(s - 1)) < 1e-7


def test_korteweg_de_vries_soliton() -> None:
    lines = [circle("x", 256, 40.0, -20.0)]
    u = function("u", lines)
    system = build_system(
        lines,
        {"u": -6 * u * u.diff(x) - u.diff(x, 3)},
        initial={"u": 2 / sp.cosh(x + 2) ** 2},
        conservative={"u": [(-3, {"x": 1}, u**2)]},
    )
    got = final(solver_for(system, lines, dt=0.002, dealias=2 / 3))["u"]
    (s,) = nodes(lines)
    assert error(got, 2 / np.cosh(s + 2 - 4) ** 2) < 1e-7


def test_burgers_by_cole_and_hopf() -> None:
    lines = [circle("x", 128)]
    u = function("u", lines)
    viscosity = 0.1
    potential = 2 + sp.cos(x)
    system = build_system(
        lines,
        {"u": -u * u.diff(x) + nu * u.diff(x, 2)},
        initial={"u": -2 * nu * sp.diff(potential, x) / potential},
        parameters={"nu": viscosity},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]},
    )
    got = final(solver_for(system, lines, dt=0.01))["u"]
    (s,) = nodes(lines)
    decay = np.exp(-viscosity)
    assert error(got, 2 * viscosity * decay * np.sin(s) / (2 + decay * np.cos(s))) < 1e-10


def test_regularised_long_wave_with_a_mass_operator() -> None:
    lines = [circle("x", 256, 100.0, -50.0)]
    u = function("u", lines)
    speed = 1.5
    width = np.sqrt((speed - 1) / speed) / 2
    system = build_system(
        lines,
        {"u": -u.diff(x) - u * u.diff(x)},
        initial={"u": 3 * (speed - 1) / sp.cosh(width * x) ** 2},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]},
    )
    system = with_mass(system, 0, [(1, 0, (0,)), (-1, 0, (2,))])
    got = final(solver_for(system, lines, dt=0.05))["u"]
    (s,) = nodes(lines)
    assert error(got, 3 * (speed - 1) / np.cosh(width * (s - speed)) ** 2) < 1e-7


def test_two_rates_in_one_mass_matrix() -> None:
    # u_t + v_t / 2 = -u, v_t - u_t / 4 = v_xx
    lines = [circle("x", 8)]
    u, v = function("u", lines), function("v", lines)
    system = build_system(lines, {"u": -u, "v": v.diff(x, 2)}, initial={"u": sp.cos(x), "v": sp.sin(x)})
    system = with_mass(system, 0, [(1, 0, (0,)), (0.5, 1, (0,))])
    system = with_mass(system, 1, [(1, 1, (0,)), (-0.25, 0, (0,))])
    got = final(solver_for(system, lines, dt=0.5))
    (s,) = nodes(lines)
    m = np.array([[1, 0.5], [-0.25, 1]])
    values, vectors = np.linalg.eig(np.linalg.solve(m, np.diag([-1.0, -1.0])))
    e = (vectors @ np.diag(np.exp(values)) @ np.linalg.inv(vectors)).real
    assert error(got["u"], e[0, 0] * np.cos(s) + e[0, 1] * np.sin(s)) < 1e-12
    assert error(got["v"], e[1, 0] * np.cos(s) + e[1, 1] * np.sin(s)) < 1e-12


@pytest.mark.parametrize("stepper", ["etdrk4", "rk4", "imex", "implicit"])
def test_wave_as_a_coupled_pair(stepper: str) -> None:
    lines = [circle("x", 16), circle("y", 16)]
    w, v = function("w", lines), function("v", lines)
    system = build_system(
        lines,
        {"w": v, "v": c**2 * (w.diff(x, 2) + w.diff(y, 2))},
        initial={"w": sp.sin(x) * sp.cos(2 * y), "v": sp.S.Zero},
        parameters={"c": 2.0},
        rate_of={"v": "w"},
    )
    solver = solver_for(system, lines, stepper, dt=1.0 if stepper == "etdrk4" else 0.005, dealias=1.0)
    got = final(solver)
    p, q = nodes(lines)
    exact = np.sin(p) * np.cos(2 * q) * np.cos(2 * np.sqrt(5))
    assert set(got) == {"w"}
    assert error(got["w"], exact) < (1e-11 if stepper == "etdrk4" else 1e-5)


@pytest.mark.parametrize("stepper", ["etdrk4", "imex", "implicit", "rk4", "dopri5"])
def test_forcing_that_changes_in_time(stepper: str) -> None:
    lines = [circle("x", 16)]
    u = function("u", lines)
    t = sp.Symbol("t", real=True)
    exact = sp.exp(sp.sin(t)) * sp.cos(x) + t * sp.sin(x + t)
    force = exact.diff(t) - exact.diff(x, 2)
    system = build_system(lines, {"u": u.diff(x, 2) + force}, initial={"u": exact.subs(t, 0)})
    got = final(solver_for(system, lines, stepper, dt=0.01))["u"]
    (s,) = nodes(lines)
    assert error(got, np.exp(np.sin(1)) * np.cos(s) + np.sin(s + 1)) < 1e-7


def test_coefficients_that_vary_in_space_and_time() -> None:
    lines = [circle("x", 64)]
    u = function("u", lines)
    t = sp.Symbol("t", real=True)
    exact = sp.exp(-t) * sp.sin(x) + 2
    spread = 1 + sp.cos(x) / 2
    rate = spread * u.diff(x, 2) + sp.sin(t) * sp.sin(x) * u.diff(x)
    force = (exact.diff(t) - rate.subs(u, exact).doit()).simplify()
    system = build_system(lines, {"u": rate + force}, initial={"u": exact.subs(t, 0)})
    got = final(solver_for(system, lines, "rk4", dt=0.001))["u"]
    (s,) = nodes(lines)
    assert error(got, np.exp(-1) * np.sin(s) + 2) < 1e-10


@pytest.mark.parametrize("power", [0.8, 1.5, -0.5])
def test_fractional_power_of_the_wavenumber(power: float) -> None:
    lines = [circle("x", 16), circle("y", 16)]
    k = sp.Symbol("k_x", real=True) ** 2 + sp.Symbol("k_y", real=True) ** 2
    s = sp.Symbol("s", real=True)
    system = build_system(
        lines,
        {"u": sp.S.Zero},
        initial={"u": 3 + sp.sin(x + 2 * y)},
        parameters={"s": power},
        multipliers={"u": [(-1, "u", k**s)]},
    )
    got = final(solver_for(system, lines, dt=0.5))["u"]
    p, q = nodes(lines)
    assert error(got, 3 + np.exp(-(5.0**power)) * np.sin(p + 2 * q)) < 1e-12


def test_three_dimensions_complex() -> None:
    lines = [circle("x", 8), circle("y", 6), circle("z", 8)]
    psi = function("psi", lines)
    rate = sp.I * sum(psi.diff(s, 2) for s in (x, y, z))
    system = build_system(
        lines, {"psi": rate}, initial={"psi": sp.exp(sp.I * (2 * x - y + z))}, complex_unknowns=["psi"]
    )
    got = final(solver_for(system, lines, dt=1.0, dealias=1.0))["psi"]
    p, q, r = nodes(lines)
    assert error(got, np.exp(1j * (2 * p - q + r - 6))) < 1e-12
