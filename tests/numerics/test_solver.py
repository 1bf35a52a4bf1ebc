"""The solver's contract: pure functions, transformations, the host loop, precision, failures."""

import subprocess
import sys
from math import pi
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from nablax.backends import loop
from nablax.backends.exporting import PLATFORMS, export_program
from nablax.backends.frames import Frame, NumericalFailure, Progress
from nablax.backends.interface import Opening
from nablax.backends.reverse import SecondDerivativeError
from nablax.backends.solver import Solver
from nablax.backends.solving import solution_of
from nablax.plan import StepperName
from nablax.system import System
from tests.numerics.spectral.runs import circle, error, final, function, nodes, solver_for, x, y
from tests.numerics.systems import build_system

nu = sp.Symbol("nu", real=True)
LINES = [circle("x", 32)]
U = function("u", LINES)


def burgers_system() -> System:
    return build_system(
        LINES,
        {"u": -U * U.diff(x) + nu * U.diff(x, 2)},
        initial={"u": sp.sin(x) + nu},
        parameters={"nu": 0.1},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, U**2)]},
    )


def burgers(stepper: StepperName = "etdrk4", dt: float | None = 0.05, frames: int = 2) -> Solver:
    return solver_for(burgers_system(), LINES, stepper, dt=dt, frames=tuple(np.linspace(0, 1, frames + 1)))


def test_shapes_and_defaults() -> None:
    solver = burgers(frames=4)
    assert dict(solver.parameters) == {"nu": 0.1}
    solution = solver.solve()
    assert solution.t.shape == (5,)
    assert solution.fields["u"].shape == (5, 32)
    saved = solver.solve(save_at=[0.25, 1.0])
    np.testing.assert_allclose(
        np.asarray(saved.fields["u"]), np.asarray(solution.fields["u"])[[1, 4]], atol=1e-12
    )


def test_arguments_are_checked() -> None:
    solver = burgers()
    with pytest.raises(ValueError, match="no parameter is named `mu`; there are: `nu`"):
        solver.solve({"mu": 1.0})
    with pytest.raises(TypeError, match="`nu` is one number, and 'one' was given"):
        solver.solve({"nu": "one"})
    with pytest.raises(ValueError, match="no initial data is wanted for `v`"):
        solver.initial(fields={"v": jnp.zeros(32)})
    with pytest.raises(ValueError, match=r"has the shape \(31,\)"):
        solver.initial(fields={"u": jnp.zeros(31)})
    with pytest.raises(ValueError, match="must not decrease"):
        solver.solve(save_at=[0.5, 0.2])


def test_going_on_from_a_state_and_from_fields() -> None:
    solver = burgers(frames=2)
    whole = [e for e in solver.stream() if isinstance(e, Frame)]
    again = solver.initial(fields={"u": jnp.asarray(whole[1].fields["u"])})
    resumed = again._replace(t=jnp.asarray(0.5))
    rest = [e for e in solver.stream(initial=resumed) if isinstance(e, Frame)]
    assert [e.index for e in rest] == [2]
    np.testing.assert_allclose(rest[0].fields["u"], whole[2].fields["u"], atol=1e-13)
    solved = solver.solve(initial=resumed, save_at=[1.0])
    np.testing.assert_allclose(np.asarray(solved.fields["u"])[0], whole[2].fields["u"], atol=1e-13)


def test_rate_is_what_an_integrator_wants() -> None:
    solver = burgers()
    state = solver.initial()
    (rate,) = solver.rhs(0.0, state.y, {"nu": 0.2})
    (same,) = solver.rhs(0.0, state, {"nu": 0.2})
    assert jnp.array_equal(rate, same)
    (s,) = nodes(LINES)
    u = np.sin(s) + 0.1
    exact = -u * np.cos(s) - 0.2 * np.sin(s)
    back = solver.fields(state._replace(y=(rate,)))["u"]
    assert error(np.asarray(back), exact) < 1e-13


def test_jit_vmap_and_gradient() -> None:
    solver = burgers(dt=0.05)
    weight = jnp.cos(jnp.arange(32.0))

    def loss(nu: jax.Array) -> jax.Array:
        return jnp.sum(weight * solver.solve({"nu": nu}).fields["u"][-1] ** 2)

    h = 1e-5
    at = jnp.asarray(0.1)
    slope = float(jax.jit(jax.grad(loss))(at))
    difference = float(loss(at + h) - loss(at - h)) / (2 * h)
    assert slope == pytest.approx(difference, rel=1e-7)
    assert float(jax.jvp(loss, (at,), (jnp.ones(()),))[1]) == pytest.approx(slope, rel=1e-10)

    many = jax.vmap(lambda nu: solver.solve({"nu": nu}).fields["u"][-1])(jnp.asarray([0.1, 0.2]))
    np.testing.assert_allclose(many[1], final(solver, {"nu": 0.2})["u"], atol=1e-13)


def test_gradient_in_the_initial_fields() -> None:
    solver = burgers(dt=0.1)
    start = jnp.sin(jnp.arange(32.0) * (2 * pi / 32))
    direction = start + jnp.cos(jnp.arange(32.0) * (4 * pi / 32))

    def energy(u: jax.Array) -> jax.Array:
        state = solver.initial(fields={"u": u})
        return jnp.sum(solver.solve(initial=state).fields["u"][-1] ** 2)

    slope = float(jax.grad(energy)(start) @ direction)
    h = 1e-6
    difference = float(energy(start + h * direction) - energy(start - h * direction)) / (2 * h)
    assert slope == pytest.approx(difference, rel=1e-7)
    batch = jax.vmap(lambda u: solver.solve(initial=solver.initial(fields={"u": u})).fields["u"][-1])
    assert batch(jnp.stack([start, 2 * start])).shape == (2, 32)


def test_second_derivatives_without_a_fixed_step_say_so() -> None:
    solver = burgers("dopri5", dt=None)

    def last(nu: jax.Array) -> jax.Array:
        return solver.solve({"nu": nu}).fields["u"][-1, 3]

    with pytest.raises(SecondDerivativeError, match="set `dt` in the"):
        jax.make_jaxpr(jax.jacfwd(jax.jacrev(last)))(jnp.asarray(0.1))


def test_breakdown_is_located() -> None:
    # u_t = u²: infinite at t = 1 / max u, at x = π/2.
    system = build_system(LINES, {"u": U**2}, initial={"u": 1 + sp.sin(x)})
    solver = solver_for(system, LINES, "rk4", dt=0.001, frames=(0.0, 0.25, 2.0), dealias=1.0)
    frames = []
    with pytest.raises(NumericalFailure) as caught:  # noqa: PT012
        for event in solver.stream():
            frames.append(event)
    report = caught.value.breakdown
    assert report.kind == "infinite"
    assert report.field == "u"
    assert 0.5 <= report.t < 0.52
    assert report.last_t == pytest.approx(report.t - 0.001)
    assert report.last_maximum > 1e3
    assert [f.t for f in frames if isinstance(f, Frame)] == [0.0, 0.25]
    with pytest.raises(NumericalFailure):
        solver.solve()
    assert bool(jnp.isnan(jax.jit(lambda: solver.solve().fields["u"][-1])()).any())


def test_a_breakdown_that_the_host_loop_does_not_meet_leaves_its_frames() -> None:
    system = build_system(LINES, {"u": -U}, initial={"u": 1 + sp.sin(x)})
    solver = solver_for(system, LINES, "rk4", dt=0.1, frames=(0.0, 0.2, 0.4))
    params = {name: jnp.asarray(value) for name, value in solver.parameters.items()}
    good = solver.solve(save_at=(0.2, 0.4))

    def broken(*_: object, **__: object) -> tuple[jax.Array, dict[str, jax.Array]]:
        return good.t, {name: values * jnp.nan for name, values in good.fields.items()}

    opening = Opening(solver.initial(), {})
    found = solution_of(solver.drive, broken, params, opening, (0.2, 0.4), True, True)
    np.testing.assert_allclose(found.t, [0.2, 0.4])
    np.testing.assert_allclose(found.fields["u"], good.fields["u"], rtol=1e-13)


def test_a_step_that_goes_to_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_WORK", 32 * 4096)
    system = build_system(LINES, {"u": U**2}, initial={"u": 1 + sp.sin(x)})
    for stepper in ("dopri5", "etdrk4"):
        solver = solver_for(system, LINES, stepper, frames=(0.0, 0.25, 2.0), dealias=1.0)
        with pytest.raises(NumericalFailure) as caught:
            list(solver.stream())
        report = caught.value.breakdown
        assert report.field == "u"
        assert report.t < 0.52
        assert report.last_maximum > 1


def test_progress_inside_a_long_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHUNK_WORK", 32 * 1000)
    monkeypatch.setattr(loop, "TICK", 0.0)
    events = list(burgers("rk4", dt=1 / 2500, frames=1).stream())
    assert [type(e) for e in events] == [Frame, Progress, Progress, Frame]
    told = [(e.t, e.steps) for e in events if isinstance(e, Progress)]
    assert told == [(pytest.approx(0.4), 1000), (pytest.approx(0.8), 2000)]


def test_constraints_have_no_right_hand_side() -> None:
    lines = [circle("x", 8), circle("y", 8)]
    u, v, p = (function(name, lines) for name in ("u", "v", "p"))
    system = build_system(
        lines,
        {"u": -p.diff(x), "v": -p.diff(y)},
        initial={"u": sp.sin(y), "v": sp.S.Zero},
        algebraic=["p"],
        constraints={"mass": u.diff(x) + v.diff(y)},
    )
    solver = solver_for(system, lines, dt=0.5)
    with pytest.raises(TypeError, match="`mass` must hold at every moment"):
        solver.rhs(0.0, solver.initial())


def test_noise_is_the_spec_s() -> None:
    from nablax.backends.noise import noise
    from nablax.reductions import Noise

    system = build_system(LINES, {"u": U.diff(x, 2)}, initial={"u": 2 + Noise(sp.Integer(7)) / 20})
    solver = solver_for(system, LINES, dealias=1.0)
    got = np.asarray(solver.fields(solver.initial())["u"])
    np.testing.assert_allclose(got, 2 + noise(7, (32,)) / 20, atol=1e-14)


def test_single_precision() -> None:
    solver = solver_for(burgers_system(), LINES, dt=0.05, dtype="float32")
    state = solver.initial()
    assert state.y[0].dtype == jnp.complex64
    got = solver.solve().fields["u"]
    assert got.dtype == jnp.float32
    assert error(np.asarray(got[-1]), final(burgers())["u"]) < 1e-5
    frames = [e for e in solver.stream() if isinstance(e, Frame)]
    np.testing.assert_allclose(frames[-1].fields["u"], np.asarray(got[-1]), atol=1e-5)


WITHOUT_X64 = """
import sys
sys.path.insert(0, sys.argv[1])
import jax, numpy as np
from nablax.backends.precision import PrecisionError
from tests.numerics.test_solver import burgers
jax.config.update("jax_enable_x64", False)
solver = burgers()
assert solver.solve().fields["u"].dtype == np.float64
assert list(solver.stream())[-1].fields["u"].dtype == np.float64
state = solver.step(solver.initial())
assert state.y[0].dtype == np.complex128
assert not jax.config.jax_enable_x64
for attempt in (
    lambda: jax.jit(lambda: solver.solve().fields["u"])(),
    lambda: jax.vmap(lambda nu: solver.solve({"nu": nu}).fields["u"])(np.ones(2)),
    lambda: jax.grad(lambda nu: solver.solve({"nu": nu}).fields["u"].sum())(0.1),
):
    try:
        attempt()
    except PrecisionError as problem:
        assert "jax_enable_x64" in str(problem) and 'dtype="float32"' in str(problem)
    else:
        raise SystemExit("no error")
"""


def test_double_precision_without_the_host_s_switch() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_X64, str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("stepper", ["etdrk4", "dopri5"])
def test_every_platform_takes_the_program(stepper: StepperName) -> None:
    for dt in (0.05, None):
        exported = export_program(burgers(stepper, dt=dt))
        assert exported.platforms == PLATFORMS


@pytest.mark.parametrize(("names", "n", "dealias"), [("xy", 256, 1.0), ("xyz", 32, 2 / 3)])
def test_memory_of_the_fourth_order_exponential_step(names: str, n: int, dealias: float) -> None:
    lines = [circle(name, n) for name in names]
    u = function("u", lines)
    system = build_system(
        lines,
        {"u": sum(u.diff(line.symbol, 2) for line in lines) - u * u.diff(x)},
        initial={"u": sp.sin(x + y)},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]},
    )
    solver = solver_for(system, lines, dt=0.1, dealias=dealias)
    state = solver.initial()
    ready = solver.compiled.prepare({})
    h = np.float64(0.1)
    aid = solver.compiled.aid(h, ready)
    program = jax.jit(solver.programs.march).lower(state.t, state.y, h, np.int32(2), aid, ready).compile()
    measured = program.memory_analysis()
    if measured is None:
        pytest.skip("this platform does not tell")
    assert measured.temp_size_in_bytes <= 12 * state.y[0].nbytes
