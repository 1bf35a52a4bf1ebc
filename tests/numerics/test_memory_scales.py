"""Memories that measure the time by a function of it, and the modes of convolution quadratures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.backends.memory.coefficients import convolution_weights
from nablax.backends.memory.history import Order
from nablax.backends.memory.lags import AllLags, recent_lags
from nablax.fractional_calculus.contour import mittag_leffler
from nablax.past import order_in_time
from nablax.planning.meshes import mesh_of

pytestmark = pytest.mark.brief

SPEC = """
space { x in [0, 2*pi] periodic }
time { t in [RUN] }
fields { u }
params { a = 0.6; p = 2 }
equations { EQUATION }
initial { INITIAL }
solve { n = 4; SOLVE }
"""


def solver(equation, initial, run, solve):
    text = SPEC.replace("EQUATION", equation).replace("INITIAL", initial)
    return nablax.parse(text.replace("RUN", run).replace("SOLVE", solve)).compile()


def decay(argument, order=0.6):
    return float(mittag_leffler(np, order, 1.0, -(argument**order), 1.0))


@pytest.mark.parametrize(
    ("equation", "initial", "run", "scale", "exact"),
    [
        pytest.param(
            "psicaputo(u, t, a, t^p) = dxx(u)",
            "u = sin(x)",
            "0, 1",
            lambda t: t**2,
            decay(1.0),
            marks=pytest.mark.slow,
        ),
        ("psicaputo(u, t, a, log(t)) = dxx(u)", "u = sin(x)", "1, 3", np.log, decay(np.log(3))),
        pytest.param(
            "hadamard(u, t, a) = dxx(u) + (2*log(t)^(2 - a)/gamma(3 - a) + log(t)^2)*sin(x)",
            "u = 0",
            "1, 3",
            np.log,
            np.log(3) ** 2,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "hadamard(u, t, 1 + a) = dxx(u) + sin(x)",
            "u = 0; dt(u) = 0",
            "1, 3",
            np.log,
            1 - decay(np.log(3), 1.6),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_steps_that_are_graded_in_the_measure_of_the_memory(equation, initial, run, scale, exact):
    """By the default mesh and its halves: orders 2 - α, and 3 - α above order 1, to 0.05."""
    compiled = solver(equation, initial, run, "memory = direct; tol = 3e-5")
    plan, programs = compiled.plan, compiled.programs
    recall = plan.stepping.recall
    start, end = plan.frames[0], plan.frames[-1]
    assert order_in_time(plan) == pytest.approx(1.4)
    assert recall.grading > 1
    count = 96
    inverse = (lambda s: np.sqrt(s)) if scale is not np.log else np.exp
    low, high = scale(start), scale(end)
    # As `mesh_of` makes them, but for steps of our own number.
    shares = (np.arange(count + 1) / count) ** recall.grading
    fine = inverse(low + (high - low) * shares) - start
    (own,) = mesh_of(plan.stepping, (start, end))
    wanted = ((np.arange(len(own)) / (len(own) - 1)) ** recall.grading)[1:]
    np.testing.assert_allclose((scale(own[1:]) - low)[5:] / (high - low), wanted[5:], rtol=1e-3)
    coarse = np.concatenate([fine[::2], np.full(count // 2, np.nan)])
    coarse[count // 2 :] = fine[-1] + 0.01 * np.arange(count // 2 + 1)
    ready = programs.prepare(dict(compiled.parameters))
    begun = programs.initial(ready, {}, {}).y

    def march(times):
        def one(y, step):
            y = programs.method.step(step[0], y, (), step[1], (), ready).carry
            return y, programs.fields(step[0], y, ready)["u"][1]

        return jax.lax.scan(one, begun, (times[:-1], jnp.diff(times)))[1]

    found = np.asarray(jax.jit(jax.vmap(march))(np.stack([coarse, fine])))
    errors = np.abs([found[0, count // 2 - 1] - exact, found[1, -1] - exact])
    assert abs(np.log2(errors[0] / errors[1]) - 1.4) < 0.05


@pytest.mark.slow
def test_exponentials_and_gradients_under_another_measure():
    found = []
    for memory in ("direct", "sum_of_exponentials"):
        run = solver(
            "dt(u) + psicaputo(u, t, a, log(1 + 2*t)) = dxx(u)",
            "u = sin(x)",
            "0, 1",
            f"dt = 0.05; memory = {memory}",
        )
        found.append(np.asarray(run.solve(save_at=[1.0]).fields["u"][-1]))
    assert np.abs(found[0] - found[1]).max() < 1e-9
    assert np.abs(found[0]).max() > 0.1

    run = solver("dt(u) + psicaputo(u, t, a, log(1 + p*t)) = dxx(u)", "u = sin(x)", "0, 1", "dt = 0.05")

    def size(p):
        return jnp.sum(run.solve({"p": p}, save_at=[1.0]).fields["u"] ** 2)

    both = jax.jit(jax.value_and_grad(size))
    _, slope = both(jnp.asarray(2.0))
    later, earlier = (both(jnp.asarray(2.0 + h))[0] for h in (1e-5, -1e-5))
    assert float(slope) == pytest.approx(float((later - earlier) / 2e-5), rel=1e-6)


def test_parameters_of_the_measure_take_the_values_of_the_run():
    """At p = 200 the lags are a hundred times those of the nominal 2."""
    run = solver("psicaputo(u, t, a, p*t) = dxx(u)", "u = sin(x)", "0, 1", "tol = 1e-3")
    recall = run.plan.stepping.recall
    assert (recall.engine, recall.capacity >= 64) == ("direct", True)  # known lags would take exponentials
    found = run.solve({"p": 200.0}, save_at=[1.0]).fields["u"][-1, 1]
    assert float(found) == pytest.approx(decay(200.0), rel=1e-3)


@pytest.mark.parametrize(("order", "steps"), [(0.3, 3000), (1.5, 300)])
def test_modes_stand_for_the_later_lags_of_a_quadrature(order, steps):
    a = jnp.asarray(order)
    weights = convolution_weights(a, steps + 1)
    engines = AllLags(steps + 1), recent_lags(steps, "float64", 1e-9)
    assert len(engines[1].rates.rates) + engines[1].recent < 130
    values = np.sqrt(np.arange(1, steps + 1) / steps)[:, None]
    orders = [Order(jnp.ones(()), a)]

    def one(state, value):
        taken, *kept = state
        sums = [e.past(k, taken, weights, orders, jnp.ones(())) for e, k in zip(engines, kept, strict=True)]
        kept = [e.push(k, taken, value) for e, k in zip(engines, kept, strict=True)]
        return (taken + 1, *kept), jnp.stack(sums)

    start = (jnp.zeros((), "int32"), *(e.empty(jnp.zeros(1)) for e in engines))
    _, sums = jax.jit(lambda s, v: jax.lax.scan(one, s, v))(start, values)
    sums = np.asarray(sums)[..., 0]
    assert np.abs(sums[:, 1] - sums[:, 0]).max() < 1e-9 * np.abs(sums[:, 0]).max()


@pytest.mark.slow
@pytest.mark.parametrize("order", ["a", "1.5"])
def test_both_memories_of_a_quadrature_agree(order):
    initial = "u = sin(x)" if order == "a" else "u = sin(x); dt(u) = cos(x)"
    found = []
    for memory in ("direct", "sum_of_exponentials"):
        run = solver(
            f"caputo(u, t, {order}) = dxx(u)", initial, "0, 1", f"dt = 0.01; step = cq; memory = {memory}"
        )
        found.append(np.asarray(run.solve(save_at=[0.5, 1.0]).fields["u"]))
    assert np.abs(found[0] - found[1]).max() < 1e-9


@pytest.mark.parametrize("low", ["caputo(u, t, 1/2)", pytest.param("dt(u)", marks=pytest.mark.slow)])
def test_low_orders_beside_high_ones_see_the_initial_rate(low):
    """The exact solution is (t + t³) sin(x)."""
    known = low.replace("(u", "(t + t^3")
    errors = []
    for n in (30, 60):
        run = solver(
            f"caputo(u, t, 1.5) + {low} = dxx(u) + (caputo(t^3, t, 1.5) + {known} + t + t^3)*sin(x)",
            "u = 0; dt(u) = sin(x)",
            "0, 1",
            f"dt = 1/{n}; step = cq; memory = direct",
        )
        errors.append(abs(float(run.solve(save_at=[1.0]).fields["u"][-1, 1]) - 2))
    assert np.log2(errors[0] / errors[1]) > 1.9
    assert errors[1] < 1e-3
