"""Every stepper's temporal order, measured; and what error control promises."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from nablax.backends.frames import Frame, NumericalFailure
from nablax.backends.solver import Solver, build
from nablax.plan import StepperName
from tests.numerics.spectral.runs import circle, error, final, function, measured_orders, nodes, solver_for, x
from tests.numerics.systems import build_system

STEPPERS: dict[StepperName, tuple[int, float]] = {
    "euler": (1, 0.001),
    "rk2": (2, 0.005),
    "rk4": (4, 0.02),
    "dopri5": (5, 0.05),
    "imex": (4, 0.1),
    "etdrk2": (2, 0.02),
    "etdrk4": (4, 0.1),
}


def burgers(
    stepper: StepperName, *, dt: float | None = None, rtol: float = 1e-6, frames: int = 1, n: int = 48
) -> Solver:
    """u_t = -u u_x + u_xx / 10 + cos t sin x: nonlinear, stiff in the linear part, driven in time."""
    lines = [circle("x", n)]
    u = function("u", lines)
    t = sp.Symbol("t", real=True)
    system = build_system(
        lines,
        {"u": -u * u.diff(x) + u.diff(x, 2) / 10 + sp.cos(t) * sp.sin(x)},
        initial={"u": sp.Rational(1, 2) + sp.cos(x)},
        conservative={"u": [(sp.Rational(-1, 2), {"x": 1}, u**2)]},
    )
    times = tuple(np.linspace(0.0, 1.0, frames + 1))
    return solver_for(system, lines, stepper, dt=dt, frames=times, rtol=rtol, atol=rtol * 1e-3)


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    return final(burgers("etdrk4", dt=1 / 1024))["u"]


@pytest.mark.parametrize("stepper", STEPPERS)
def test_order(stepper: StepperName, reference: np.ndarray) -> None:
    order, dt = STEPPERS[stepper]
    errors = [error(final(burgers(stepper, dt=dt / 2**i))["u"], reference) for i in (1, 2)]
    assert min(measured_orders(errors)) > order - 0.3, errors
    assert errors[-1] > 1e-12


def test_order_of_the_implicit_method() -> None:
    lines = [circle("x", 16)]
    u = function("u", lines)
    t = sp.Symbol("t", real=True)
    exact = sp.cos(3 * t) * sp.cos(x)
    system = build_system(
        lines, {"u": 100 * u.diff(x, 2) + (exact.diff(t) + 100 * exact)}, initial={"u": exact.subs(t, 0)}
    )
    (s,) = nodes(lines)
    errors = [
        error(final(solver_for(system, lines, "implicit", dt=0.1 / 2**i))["u"], np.cos(3) * np.cos(s))
        for i in range(4)
    ]
    assert errors[-1] < 1e-6
    assert measured_orders(errors)[-1] > 2.7  # stiff: stage order 2 shows, h(λ)⁻¹ h³


@pytest.mark.parametrize(
    "stepper",
    [
        "dopri5",
        "etdrk4",
        *(pytest.param(s, marks=pytest.mark.slow) for s in ("imex", "etdrk2", "rk4")),
    ],
)
def test_error_control_keeps_what_it_promises(stepper: StepperName, reference: np.ndarray) -> None:
    coarse = error(final(burgers(stepper, rtol=1e-4, frames=5))["u"], reference)
    fine = error(final(burgers(stepper, rtol=1e-7, frames=5))["u"], reference)
    assert coarse < 2e-3
    assert fine < 3e-6
    assert fine < coarse


@pytest.mark.parametrize(
    "stepper", ["etdrk4", "implicit", *(pytest.param(s, marks=pytest.mark.slow) for s in ("dopri5", "imex"))]
)
def test_stream_and_solve_agree(stepper: StepperName) -> None:
    if stepper == "implicit":
        lines = [circle("x", 16)]
        u = function("u", lines)
        system = build_system(lines, {"u": u.diff(x, 2)}, initial={"u": sp.cos(x)})
        solver = solver_for(system, lines, stepper, frames=tuple(np.linspace(0, 1, 6)))
    else:
        solver = burgers(stepper, frames=5)
    events = [e for e in solver.stream() if isinstance(e, Frame)]
    solution = solver.solve()
    np.testing.assert_allclose([e.t for e in events], solver.plan.frames, rtol=1e-15)
    np.testing.assert_allclose(np.asarray(solution.t), solver.plan.frames, rtol=1e-15)
    got = np.stack([e.fields["u"] for e in events])
    np.testing.assert_allclose(got, np.asarray(solution.fields["u"]), atol=2e-5)
    assert all(e.steps > 0 for e in events[1:])


def test_a_bound_is_never_exceeded() -> None:
    lines = [circle("x", 16)]
    u = function("u", lines)
    system = build_system(lines, {"u": u.diff(x)}, initial={"u": sp.cos(x)})
    plan = solver_for(system, lines, "dopri5", rtol=1e-2, atol=1e-2).plan
    solver = build(replace(plan, stepping=replace(plan.stepping, bound=0.03)))
    (_, end) = [e for e in solver.stream() if isinstance(e, Frame)]
    assert end.steps >= 34


def test_a_fast_start_is_caught() -> None:
    # ε u_t = u - u³ from a small value: nothing happens, then everything; equal steps must notice.
    lines = [circle("x", 8)]
    u = function("u", lines)
    system = build_system(lines, {"u": 20 * (u - u**3)}, initial={"u": sp.Float(1e-3)})
    solver = solver_for(system, lines, "etdrk4", frames=tuple(np.linspace(0, 1, 11)), dealias=0.5)
    a = 1e-3**2 / (1 - 1e-3**2)
    for event in solver.stream():
        if isinstance(event, Frame):
            growth = a * np.exp(40 * event.t)
            assert error(event.fields["u"], np.full(8, np.sqrt(growth / (1 + growth)))) < 1e-4


def test_one_step_at_a_time() -> None:
    solver = burgers("rk4", dt=0.01)
    state = solver.initial()
    for _ in range(100):
        state = solver.step(state)
    np.testing.assert_allclose(float(state.t), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(solver.fields(state)["u"]), final(solver)["u"], atol=1e-12)
    for stepper in ("dopri5", "etdrk4"):
        adaptive = burgers(stepper, frames=10)
        state = adaptive.initial()
        while float(state.t) < 0.3:
            state = adaptive.step(state)
        assert bool(jnp.all(jnp.isfinite(adaptive.fields(state)["u"])))


def test_the_count_of_steps_is_no_part_of_the_program() -> None:
    solver = burgers("etdrk4", dt=0.01)
    state = solver.initial()
    ready = solver.compiled.prepare({})
    h = np.float64(0.01)
    aid = solver.compiled.aid(h, ready)
    for count in (1, 7, 100):
        solver.compiled.march(state.t, state.y, h, np.int32(count), aid, ready)
    assert solver.compiled.march._cache_size() == 1


def test_a_solution_that_becomes_infinite_is_told_from_steps_that_are_too_long() -> None:
    """u_t = 2 u² from 1 ends at t = 1/2: steps of a tenth do not move that, and no more are tried."""
    lines = [circle("x", 8)]
    u = function("u", lines)
    system = build_system(lines, {"u": 2 * u**2}, initial={"u": sp.S.One})
    solver = solver_for(system, lines, "etdrk4", frames=(0.0, 0.4, 0.8), dealias=0.5)
    with pytest.raises(NumericalFailure) as failure:
        list(solver.stream())
    assert failure.value.breakdown.kind == "infinite"
    assert failure.value.breakdown.t == pytest.approx(0.5, rel=1e-3)
