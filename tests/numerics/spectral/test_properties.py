"""What a Fourier discretisation must keep: no aliases, conserved sums, real fields, what Nyquist may do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from nablax.backends.frames import Frame
from nablax.backends.interface import Unsupported
from nablax.backends.solver import Solver
from nablax.backends.spectral import Spectral
from nablax.backends.spectral import build as build_scheme
from tests.numerics.spectral.runs import circle, error, final, function, nodes, solver_for, x, y
from tests.numerics.spectral.test_constraints import navier_stokes
from tests.numerics.systems import Line, build_plan, build_system


def quadratic(n: int, dealias: float, wave: int) -> Solver:
    lines = [circle("x", n)]
    u = function("u", lines)
    system = build_system(
        lines,
        {"u": -u * u.diff(x)},
        initial={"u": sp.cos(wave * x)},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]},
    )
    return solver_for(system, lines, "rk4", dt=0.01, dealias=dealias)


def test_aliases_are_removed() -> None:
    # cos(9x)² holds the wave 18, which 32 points show as 14.
    for dealias, size in ((2 / 3, 0.0), (1.0, 1.0)):
        solver = quadratic(32, dealias, 9)
        state = solver.initial()
        (rate,) = solver.rhs(0.0, state)
        assert float(jnp.max(jnp.abs(rate))) == pytest.approx(size * 14 / 4 * 32 / 2, abs=1e-10)


@pytest.mark.parametrize(("degree", "dealias"), [(2, 2 / 3), (3, 1 / 2), (4, 2 / 5)])
@pytest.mark.parametrize("n", [24, 30, 31])
def test_kept_products_are_exact(degree: int, dealias: float, n: int) -> None:
    # Against a grid so fine that nothing can alias.
    lines = [circle("x", n)]
    u = function("u", lines)
    system = build_system(lines, {"u": u**degree}, initial={"u": sp.S.Zero})
    scheme = build_scheme(build_plan(system, lines, method="spectral", dealias=dealias))
    kept = scheme.layout.modes[0]
    rng = np.random.default_rng(0)
    modes = rng.normal(size=kept) + 1j * rng.normal(size=kept)
    modes[0] = modes[0].real
    (rate,) = jax.jit(scheme.rate)(jnp.zeros(()), (jnp.asarray(modes),), {})
    fine = 16 * n
    padded = np.zeros(fine // 2 + 1, complex)
    padded[:kept] = modes * (fine / n)
    exact = np.fft.rfft(np.fft.irfft(padded, fine) ** degree)[:kept] * (n / fine)
    assert error(np.asarray(rate), exact) < 1e-13


def test_the_first_frame_shows_the_data_and_steps_start_from_what_is_kept() -> None:
    """cos 9x is beyond the modes that 24 points keep; a constraint's fields are as it makes them."""
    solver = quadratic(24, 2 / 3, 9)
    data = np.cos(9 * nodes([circle("x", 24)])[0])
    state = solver.initial()
    assert np.abs(solver.fields(state)["u"]).max() < 1e-13
    frames = [f for f in solver.stream() if isinstance(f, Frame)]
    afresh, going_on = solver.solve(), solver.solve(initial=state)
    for first in (frames[0].fields["u"], afresh.fields["u"][0]):
        assert error(np.asarray(first), data) < 1e-14
    assert np.abs(going_on.fields["u"][0]).max() < 1e-13
    for rest in (frames[-1].fields["u"], afresh.fields["u"][-1]):
        assert np.array_equal(rest, going_on.fields["u"][-1])

    lines = [circle("x", 8), circle("y", 8)]
    leaking = navier_stokes(lines, {"u": sp.sin(x) + sp.sin(y), "v": sp.S.Zero})
    flow = solver_for(leaking, lines, dt=0.1, end=0.1)
    assert error(np.asarray(flow.solve().fields["u"][0]), np.sin(nodes(lines)[1])) < 1e-14


def test_mass_and_energy_of_the_inviscid_equation() -> None:
    solver = quadratic(64, 2 / 3, 3)
    state = solver.initial(fields={"u": jnp.cos(jnp.arange(64.0)) + 0.3})
    (rate,) = solver.rhs(0.0, state)
    assert rate[0] == 0
    weights = np.where(np.arange(len(rate)) == 0, 1.0, 2.0)
    power = np.sum(weights * (np.conj(np.asarray(state.y[0])) * np.asarray(rate)).real)
    assert abs(power) < 1e-10 * np.sum(weights * np.abs(np.asarray(state.y[0])) * np.abs(np.asarray(rate)))


def test_energy_of_ideal_flow() -> None:
    lines = [circle("x", 32), circle("y", 32)]
    system = navier_stokes(lines, {"u": sp.sin(x) * sp.cos(y) + sp.cos(2 * y), "v": sp.sin(2 * x + y)})
    solver = solver_for(system, lines, "rk4", dt=0.002, frames=(0.0, 0.2))
    solution = solver.solve({"nu": 0.0})
    energy = np.asarray(solution.fields["u"] ** 2 + solution.fields["v"] ** 2).sum((1, 2))
    assert energy[1] == pytest.approx(energy[0], rel=1e-10)


def test_energy_of_waves() -> None:
    lines = [circle("x", 32)]
    psi = function("psi", lines)
    system = build_system(
        lines,
        {"psi": sp.I * psi.diff(x, 2) - sp.I * sp.Abs(psi) ** 2 * psi},
        initial={"psi": sp.exp(sp.I * x) + sp.cos(2 * x) / 2},
        complex_unknowns=["psi"],
    )
    solution = solver_for(system, lines, dt=0.001, dealias=0.5).solve()
    mass = np.sum(np.abs(np.asarray(solution.fields["psi"])) ** 2, axis=1)
    assert mass[1] == pytest.approx(mass[0], rel=1e-10)


@pytest.mark.parametrize("dealias", [0.5, 1.0])
def test_rounding_does_not_grow_where_the_nodes_cannot_see_it(dealias: float) -> None:
    # A pair of half-spectrum modes that are not each other's conjugates would grow as e^(80 t).
    lines = [circle("x", 12), circle("y", 12)]
    u = function("u", lines)
    system = build_system(
        lines,
        {"u": u.diff(x, 2) + u.diff(y, 2) + 80 * (u - u**3)},
        initial={"u": sp.cos(x) * sp.cos(2 * y) / 3 + sp.sin(x + y) / 7},
    )
    solver = solver_for(system, lines, dt=0.01, dealias=dealias)
    state = solver.initial()
    for _ in range(100):
        state = solver.step(state)
    column = np.asarray(state.y[0])[:, 0]
    mirrored = np.conj(np.roll(column[::-1], 1))
    assert np.max(np.abs(column - mirrored)) < 1e-12 * np.max(np.abs(column))


def mixed_scheme(lines: list[Line]) -> Solver:
    """A complex wave in the potential of its own density, which is real."""
    psi, phi = function("psi", lines), function("phi", lines)
    system = build_system(
        lines,
        {"psi": sp.I * psi.diff(x, 2) / 2 - sp.I * phi * psi},
        initial={"psi": 1 + sp.exp(sp.I * x) / 2},
        complex_unknowns=["psi"],
        algebraic=["phi"],
        constraints={"poisson": phi.diff(x, 2) + sp.Abs(psi) ** 2},
    )
    return solver_for(system, lines, dt=0.001, dealias=0.5)


def test_real_and_complex_unknowns_together() -> None:
    lines = [circle("x", 32)]
    solver = mixed_scheme(lines)
    solution = solver.solve()
    phi = np.asarray(solution.fields["phi"])
    assert phi.dtype == np.float64
    (s,) = nodes(lines)
    assert error(phi[0], np.cos(s)) < 1e-13  # |ψ|² = 5/4 + cos x
    mass = np.sum(np.abs(np.asarray(solution.fields["psi"])) ** 2, axis=1)
    assert mass[1] == pytest.approx(mass[0], rel=1e-9)


@pytest.mark.parametrize("n", [8, 9])
def test_the_mode_without_a_sign(n: int) -> None:
    # cos(4x) on 8 points: odd derivatives vanish there, even ones do not.
    lines = [circle("x", n)]
    u = function("u", lines)
    system = build_system(lines, {"u": u.diff(x) + u.diff(x, 2) / 16}, initial={"u": sp.cos(4 * x)})
    got = final(solver_for(system, lines, dt=0.5, dealias=1.0))["u"]
    (s,) = nodes(lines)
    assert error(got, np.exp(-1) * np.cos(4 * (s + (0 if n == 8 else 1)))) < 1e-13


def test_one_transform_where_one_will_do() -> None:
    lines = [circle("x", 8)]
    u, v = function("u", lines), function("v", lines)

    def count(rates: dict[str, sp.Expr]) -> int:
        scheme = build_scheme(build_plan(build_system(lines, rates), lines, method="spectral"))
        assert isinstance(scheme, Spectral)
        return scheme.transform_count

    a = sp.Symbol("a", real=True)
    assert count({"u": u.diff(x, 2)}) == 0
    assert count({"u": u**2 + u**3 + sp.sin(u)}) == 2
    assert count({"u": -a * u * v**2, "v": 2 * u * v**2}) == 3
    assert count({"u": u**2 + u.diff(x) ** 2, "v": u**2, "w": u.diff(x) ** 2} | {}) == 4


def test_a_bounded_axis_is_refused() -> None:
    lines = [Line("x", 0.0, 1.0, 8)]
    u = function("u", lines)
    with pytest.raises(Unsupported, match="periodic"):
        build_scheme(build_plan(build_system(lines, {"u": u.diff(x, 2)}), lines, method="spectral"))


def test_the_program_does_not_grow_with_the_grid() -> None:
    texts = []
    for n in (16, 512):
        lines = [circle("x", n), circle("y", n)]
        u = function("u", lines)
        rate = u.diff(x, 2) + u.diff(y, 2) - u * u.diff(x) + sp.sin(x) * sp.cos(y)
        solver = solver_for(build_system(lines, {"u": rate}, initial={"u": sp.sin(x)}), lines, dt=0.1)
        state = jax.eval_shape(solver.programs.initial, {}, {}, {})
        ready = jax.eval_shape(solver.programs.prepare, {})
        h = np.float64(0.1)
        aid = jax.eval_shape(solver.programs.aid, h, ready)
        lowered = solver.compiled.march.lower(state.t, state.y, h, np.int32(1), aid, ready)
        texts.append(len(lowered.as_text()))
    assert texts[1] < 1.1 * texts[0]
