"""Whole problems with memory, from the text to numbers: engines, mixed orders, gradients, the host's loop."""

from dataclasses import replace
from math import gamma

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma

import nablax
from nablax.backends.frames import Frame
from nablax.backends.loop import events
from nablax.backends.memory.exponentials import fitted, quadrature
from nablax.backends.memory.history import Clock, Direct, Exponentials, Order
from nablax.backends.memory.scheme import ticked
from nablax.fractional_calculus.contour import mittag_leffler
from nablax.planning.meshes import mesh_of

pytestmark = pytest.mark.brief

PERIODIC = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { FIELDS }
params { a = 0.5; D = 1 }
equations { EQUATIONS }
initial { INITIAL }
solve { SOLVE }
"""
X = 2 * np.pi * np.arange(8) / 8


def solver(equations, initial, solve, fields="u"):
    text = PERIODIC.replace("FIELDS", fields).replace("EQUATIONS", equations)
    return nablax.parse(text.replace("INITIAL", initial).replace("SOLVE", solve)).compile()


@pytest.mark.parametrize(("steps", "grading"), [(1000, 1.0), (200, 3.0)])
def test_exponentials_sum_what_the_direct_sum_sums(steps, grading):
    times = (np.arange(steps + 1) / steps) ** grading
    lengths = np.diff(times)
    made = quadrature(lengths.min(), 1.0, 1e-9)
    both = fitted(((1.0, 0.8), (0.5, 0.3)), lengths.min(), 1.0, 1e-9)
    assert (both.weights > 0).all()
    engines = (
        Direct(steps),
        Exponentials(both.rates, lambda _: jnp.asarray(both.weights)),
        Exponentials(made.rates, lambda o: sum(c * made.weights(a) for c, a in o)),
    )
    orders = [Order(jnp.asarray(c), jnp.asarray(a)) for c, a in ((1.0, 0.8), (0.5, 0.3))]
    u = np.sqrt(times) + np.cos(9 * times)

    def one(state, step):
        clock, kept = state
        now, h, change = step
        sums = [e.past(k, clock, now, h, orders) for e, k in zip(engines, kept, strict=True)]
        kept = [e.push(k, clock, h, change, orders) for e, k in zip(engines, kept, strict=True)]
        return (ticked(clock, now, h), kept), jnp.stack(sums)

    clock = Clock(jnp.zeros(()), jnp.zeros(steps + 1), jnp.zeros(()))
    start = clock, [e.empty(jnp.zeros(1)) for e in engines]
    steps_in = (times[1:], lengths, np.diff(u)[:, None])
    _, sums = jax.jit(lambda s, x: jax.lax.scan(one, s, x))(start, steps_in)
    sums = np.asarray(sums)[..., 0]
    for k in (1, 2):
        assert np.abs(sums[:, k] - sums[:, 0]).max() < 1e-8 * np.abs(sums[:, 0]).max()


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.8])
def test_forty_numbers_a_point_remember_a_hundred_thousand_steps(alpha):
    made = fitted(((1.0, alpha),), 1e-5, 1.0, 1e-9)
    assert len(made.rates) + 1 <= 40


def test_whole_fractional_and_distributed_orders_in_one_equation():
    """The operators' closed forms of t² sin(x) are the source; the memory's order is 2 - 0.8."""
    found = []
    for dt in (0.05, 0.025):
        run = solver(
            "dt(u) + caputo(u, t, 1/2) + distcaputo(u, t, 1, 0.2, 0.8) = dxx(u) + dt(t^2)*sin(x)"
            " + caputo(t^2, t, 1/2)*sin(x) + distcaputo(t^2, t, 1, 0.2, 0.8)*sin(x) + t^2*sin(x)",
            "u = 0",
            f"n = 8; dt = {dt}; memory = sum_of_exponentials",
        )
        found.append(np.abs(np.asarray(run.solve(save_at=[1.0]).fields["u"][-1]) - np.sin(X)).max())
    assert found[0] < 4e-3
    assert np.log2(found[0] / found[1]) > 1.4


def test_gradients_in_order_and_coefficient_pass_through_the_memory():
    run = solver("caputo(u, t, a) = D*dxx(u)", "u = sin(x)", "n = 8; dt = 0.02; memory = sum_of_exponentials")

    def size(p):
        return jnp.sum(run.solve({"a": p[0], "D": p[1]}, save_at=[0.5, 1.0]).fields["u"] ** 2)

    at = jnp.asarray([[0.5, 1.0], [0.7, 2.0]])
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(size)))(at))
    values = jax.jit(jax.vmap(size))
    for k in (0, 1):
        step = 1e-5 * np.eye(2)[k][None]
        wanted = (np.asarray(values(at + step)) - np.asarray(values(at - step))) / 2e-5
        np.testing.assert_allclose(slopes[:, k], wanted, rtol=1e-6)


def test_equations_without_derivatives_in_space_remember_above_order_one():
    made = solver("caputo(u, t, 1.5) + u = 0", "dt(u) = 0; u = 1 + sin(x)", "n = 8; dt = 0.01; step = cq")
    relaxed = sum((-1) ** k / gamma(1.5 * k + 1) for k in range(20))
    np.testing.assert_allclose(made.solve().fields["u"][-1], relaxed * (1 + np.sin(X)), atol=1e-3)


def test_the_hosts_loop_and_single_steps_take_the_same_steps():
    run = solver("caputo(u, t, a) = D*dxx(u)", "u = sin(x)", "n = 8; dt = 0.1; step = cq")
    frames = [event for event in run.stream() if isinstance(event, Frame)]
    whole = np.asarray(run.solve().fields["u"])
    np.testing.assert_allclose([f.fields["u"] for f in frames], whole, atol=1e-13)
    state = run.initial()
    for _ in range(3):
        state = run.step(state)
    assert float(state.t) == pytest.approx(0.3)
    np.testing.assert_allclose(run.fields(state)["u"], whole[3], atol=1e-13)
    later = [e for e in run.stream(initial=state) if isinstance(e, Frame)]
    np.testing.assert_allclose(later[-1].fields["u"], whole[-1], atol=1e-13)


def test_a_chunk_of_the_hosts_loop_holds_no_more_steps_than_lie_between_two_frames():
    found = solver("caputo(u, t, 1/2) = -u", "u = 1 + cos(x)", "n = 8; dt = 0.02; step = l1")
    lengths = []

    def watched(y, steps, *others):
        lengths.append(len(steps.lengths))
        return found.compiled.follow(y, steps, *others)

    drive = found.drive
    drive = replace(drive, programs=replace(drive.programs, follow=watched))
    list(events(drive, found._complete(None), None, found.plan.frames))
    most = max(len(m) - 1 for m in mesh_of(found.plan.stepping, found.plan.frames))
    assert set(lengths) == {most}


def test_there_is_no_right_hand_side():
    run = solver("caputo(u, t, a) = D*dxx(u)", "u = sin(x)", "n = 8; dt = 0.1; step = cq")
    with pytest.raises(TypeError, match="remember the past"):
        run.rhs(0.0, run.initial())
    beyond = jax.jit(lambda a: run.solve({"a": a}, save_at=[1.0]).fields["u"])(1.2)
    assert np.isnan(beyond).all()  # another equation, which wants an initial rate
    with pytest.raises(ValueError, match="equal steps"):
        run.solve(save_at=[0.33, 1.0])


@pytest.mark.slow
@pytest.mark.parametrize("step", ["l1", "cq"])
def test_nonlinear_terms_between_walls_keep_the_order_in_time(step):
    text = """
    space { x in [0, pi] }
    time { t in [0, 1] }
    fields { u }
    equations {
      caputo(u, t, 1/2) = dxx(u) - u^3 + u*dx(u) + gamma(4)/gamma(3.5)*t^2.5*sin(x) + t^3*sin(x) +
                        t^9*sin(x)^3 - t^6*sin(x)*cos(x)
    }
    initial { u = 0 }
    boundary { all: u = 0 }
    """
    found = []
    for dt in (0.1, 0.05):
        run = nablax.parse(text + f"solve {{ n = 24; order = 8; dt = {dt}; step = {step} }}").compile()
        u = np.asarray(run.solve(save_at=[1.0]).fields["u"][-1])
        found.append(np.abs(u - np.sin(np.pi * np.arange(25) / 24)).max())
    assert np.log2(found[0] / found[1]) > (1.38 if step == "l1" else 1.9)


@pytest.mark.slow
def test_moving_walls_two_fields_and_two_dimensions():
    text = """
    space { x in [0, 1]; y in [0, 2*pi] periodic }
    time { t in [0, 1] }
    fields { u; v }
    params { a = 1/2 }
    let { p = t^2*exp(x)*sin(y); q = t^2*exp(x)*cos(y); c = 2*t^(3/2)/gamma(5/2) }
    equations {
      caputo(u, t, a) = 0.1*Δu + v + c*exp(x)*sin(y) - q
      caputo(v, t, a) = 0.1*Δv - u + c*exp(x)*cos(y) + p
    }
    initial { u = 0; v = 0 }
    boundary {
      x = 0: u = t^2*sin(y), dx(v) = t^2*cos(y)
      x = 1: u = t^2*e*sin(y), v = t^2*e*cos(y)
    }
    solve { n = [12, 12]; order = 8; dt = 0.05; step = cq }
    """
    run = nablax.parse(text).compile()
    fields = run.solve(save_at=[1.0]).fields
    x, y = np.meshgrid(np.linspace(0, 1, 13), 2 * np.pi * np.arange(12) / 12, indexing="ij")
    assert np.abs(np.asarray(fields["u"][-1]) - np.exp(x) * np.sin(y)).max() < 5e-3
    assert np.abs(np.asarray(fields["v"][-1]) - np.exp(x) * np.cos(y)).max() < 5e-3


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "value"), [("1/2", 0.6408454653), ("4/5", 0.6339591029)])
def test_allen_cahn_kinetics(alpha, value):
    """D^α u = u - u³ from 0.1 to t = 2, against Richardson's limit of graded L1 runs in NumPy."""
    text = PERIODIC.replace("[0, 1]", "[0, 2]").replace("FIELDS", "u").replace("INITIAL", "u = 0.1")
    text = text.replace("EQUATIONS", f"caputo(u, t, {alpha}) = dxx(u) + u - u^3")
    run = nablax.parse(text.replace("SOLVE", "n = 4; dt = 0.004; step = cq")).compile()
    assert abs(float(run.solve(save_at=[2.0]).fields["u"][-1, 0]) - value) < 1e-5


def test_the_derivative_of_a_series_at_all_its_times():
    from nablax.fractional import caputo_of_series

    t = np.linspace(0, 2, 2001)
    found = caputo_of_series(jnp.asarray(np.stack([t**2, 1j * t], axis=1)), t[1], 0.5)
    assert found.shape == (2000, 2)
    np.testing.assert_allclose(found[:, 0].real, 2 * t[1:] ** 1.5 / gamma(2.5), atol=2e-5)
    np.testing.assert_allclose(found[:, 1].imag, t[1:] ** 0.5 / gamma(1.5), rtol=1e-9)
    slope = jax.grad(lambda a: caputo_of_series(jnp.asarray(t), t[1], a)[-1])(0.5)
    assert slope == pytest.approx(2**0.5 / gamma(1.5) * (digamma(1.5) - np.log(2)), rel=1e-8)


@pytest.mark.parametrize("step", ["l1", "l21sigma", "cq"])
def test_a_tolerance_chooses_the_number_of_steps(step):
    for rate in (1, 20):
        run = solver(f"caputo(u, t, 0.6) = {rate}*dxx(u)", "u = sin(x)", f"n = 8; tol = 1e-4; step = {step}")
        assert run.plan.stepping.recall.steps != 512
        found = float(run.solve(save_at=[1.0]).fields["u"][-1, 2])
        assert abs(found - float(mittag_leffler(np, 0.6, 1.0, -float(rate), 1.0))) < 1e-4


def test_several_orders_and_exponentials_under_the_l21sigma_scheme():
    """The exact solution is t³ sin(x)."""
    found = []
    for dt, memory in ((0.05, "direct"), (0.025, "direct"), (0.025, "sum_of_exponentials")):
        run = solver(
            "dt(u) + caputo(u, t, a) = dxx(u) + (dt(t^3) + caputo(t^3, t, 1/2) + t^3)*sin(x)",
            "u = 0",
            f"n = 8; dt = {dt}; memory = {memory}; step = l21sigma",
        )
        found.append(np.asarray(run.solve(save_at=[1.0]).fields["u"][-1]))
    errors = [np.abs(u - np.sin(X)).max() for u in found]
    assert abs(np.log2(errors[0] / errors[1]) - 2) < 0.1
    assert np.abs(found[1] - found[2]).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("step", ["cq", "l1"])
def test_fields_with_different_derivatives_in_time(step):
    """The exact solution is t² (sin x, cos x, sin x)."""
    found = []
    for dt in (0.1, 0.05):
        run = solver(
            "caputo(u, t, a) = dxx(u) - dx(v) + caputo(t^2, t, 1/2)*sin(x);"
            "caputo(v, t, 0.8) = dxx(v) + w + (caputo(t^2, t, 0.8) + t^2)*cos(x) - t^2*sin(x);"
            "dt(w) = dxx(w) + u - t^2*sin(x) + (2*t + t^2)*sin(x)",
            "u = 0; v = 0; w = 0",
            f"n = 8; dt = {dt}; step = {step}",
            "u; v; w",
        )
        fields = run.solve(save_at=[1.0]).fields
        wanted = {"u": np.sin(X), "v": np.cos(X), "w": np.sin(X)}
        found.append(max(np.abs(np.asarray(fields[n][-1]) - e).max() for n, e in wanted.items()))
    assert np.log2(found[0] / found[1]) > (1.9 if step == "cq" else 1.1)
    assert found[1] < (2e-3 if step == "cq" else 2e-2)


def test_orders_that_vary_in_time_keep_the_past_in_both_engines():
    """The exact solution is t² sin(x)."""
    found = []
    for memory in ("direct", "sum_of_exponentials"):
        run = solver(
            "vocaputo(u, t, 0.8 - 0.4*t) = dxx(u) + (2*t^(1.2 + 0.4*t)/gamma(2.2 + 0.4*t) + t^2)*sin(x)",
            "u = 0",
            f"n = 8; dt = 0.02; memory = {memory}",
        )
        found.append(np.asarray(run.solve(save_at=[1.0]).fields["u"][-1]))
    assert np.abs(found[0] - np.sin(X)).max() < 3e-3
    assert np.abs(found[0] - found[1]).max() < 1e-8


@pytest.mark.parametrize(
    ("order", "grading", "start"),
    [("0.5 + 0.4*t", 3, "0.5"), ("0.9 - 0.4*t", 11 / 9, "0.9"), ("t/2 + 0.01", 8, "0.01")],
)
def test_the_mesh_follows_the_order_at_the_start(order, grading, start):
    plan = solver(f"vocaputo(u, t, {order}) = dxx(u)", "u = sin(x)", "n = 8").plan
    assert plan.stepping.recall.grading == pytest.approx(grading)
    (mesh,) = (c for c in plan.choices if c.what == "mesh")
    assert mesh.reason.startswith(f"solutions start like t^{start}: ")


def test_an_order_that_is_whole_by_its_value_is_the_classical_derivative():
    classical = solver("caputo(u, t, 2*a) = D*dxx(u)", "u = sin(x)", "n = 8; tol = 1e-4").solve()
    found = np.asarray(classical.fields["u"])[-1]
    np.testing.assert_allclose(found, np.exp(-1) * np.sin(X), atol=1e-4)
