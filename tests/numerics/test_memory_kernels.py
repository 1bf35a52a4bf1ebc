"""Tempered derivatives and bounded kernels in time: exact solutions, orders, exponentials, gradients."""

from math import exp

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.fractional_calculus.contour import mittag_leffler

pytestmark = pytest.mark.brief

SPEC = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
params { a = 0.6; L = 2 }
equations { EQUATION }
initial { INITIAL }
solve { n = 4; SOLVE }
"""


def solver(equation, initial, solve):
    text = SPEC.replace("EQUATION", equation).replace("INITIAL", initial).replace("SOLVE", solve)
    return nablax.parse(text).compile()


def ends(equation, initial, exact, step, counts, grading=1.0, **params):
    """Errors at t = 1 of so many steps each, from one program that goes on beyond."""
    compiled = solver(equation, initial, f"dt = 1/{max(counts)}; step = {step}; memory = direct")
    programs = compiled.programs
    numbers = dict(compiled.parameters) | params
    ready, start = programs.prepare(numbers), programs.initial(numbers, {}, {}).y
    times = (np.arange(max(counts) + 1) / np.array(counts)[:, None]) ** grading

    def run(times):
        def one(y, step):
            y = programs.method.step(step[0], y, (), step[1], (), ready).carry
            return y, programs.fields(step[0], y, ready)["u"][1]

        return jax.lax.scan(one, start, (times[:-1], jnp.diff(times)))[1]

    found = np.asarray(jax.jit(jax.vmap(run))(times))
    return np.abs([u[n - 1] - exact for u, n in zip(found, counts, strict=True)])


def order(errors):
    return np.log2(errors[-2] / errors[-1])


TEMPERED = "tempered(u, t, a, L, kind=caputo) = dxx(u)"
DECAY = exp(-2) * float(mittag_leffler(np, 0.6, 1.0, -1.0, 1.0))  # e^(-λt) E_α(-t^α)


COUNTS = {"l1": (60, 120), "cq": (40, 80)}


@pytest.mark.parametrize(
    ("step", "grading", "wanted"),
    [pytest.param("l1", 1.4 / 0.6, 1.4, marks=pytest.mark.slow), ("cq", 1.0, 2.0)],
)
def test_tempered_decay_from_a_singular_start(step, grading, wanted):
    errors = ends(TEMPERED, "u = sin(x)", DECAY, step, COUNTS[step], grading)
    assert abs(order(errors) - wanted) < 0.05
    assert errors[-1] < 5e-4


@pytest.mark.parametrize("normalised", [pytest.param("", marks=pytest.mark.slow), ", normalised=yes"])
def test_tempered_derivatives_of_riemann_and_liouville(normalised):
    """The exact solution is t² e^(-λt) sin(x)."""
    known = f"tempered(t^2*exp(-L*t), t, a, L{normalised}) + t^2*exp(-L*t)"
    equation = f"tempered(u, t, a, L{normalised}) = dxx(u) + ({known})*sin(x)"
    errors = ends(equation, "u = 0", exp(-2), "cq", (40, 80))
    assert abs(order(errors) - 2) < 0.05


def waves(y):
    """E_α(-y^α) + y E_{α,2}(-y^α) for α = 1.6: the mode of a wave that starts at 1 with the slope 1."""
    values = (mittag_leffler(np, 1.6, beta, -(y**1.6), 1.0) for beta in (1.0, 2.0))
    return float(sum(v * y**k for k, v in enumerate(values)))


@pytest.mark.parametrize(("step", "wanted"), [("cq", 2.0), pytest.param("l1", 1.4, marks=pytest.mark.slow)])
def test_tempered_waves(step, wanted):
    """e^(λt) u starts at 1 with the slope 1, and u with the slope 1 - λ."""
    equation, initial = "tempered(u, t, 1 + a, L, kind=caputo) = dxx(u)", "u = sin(x); dt(u) = (1 - L)*sin(x)"
    errors = ends(equation, initial, exp(-2) * waves(1.0), step, COUNTS[step], 1.0 if step == "cq" else 7 / 3)
    assert abs(order(errors) - wanted) < 0.1
    assert errors[-1] < 1.5e-4


@pytest.mark.slow
@pytest.mark.parametrize(("step", "wanted"), [("cq", 2.0), ("l1", 1.4)])
def test_tempered_derivatives_of_two_orders_above_and_below_one(step, wanted):
    """The exact solution is t³ e^(-λt) sin(x), and the higher derivative is normalised."""
    left = "tempered({0}, t, 1 + a, L, normalised=yes) + tempered({0}, t, 0.4, L)"
    shape = "t^3*exp(-L*t)"
    equation = f"{left.format('u')} = dxx(u) + ({left.format(shape)} + {shape})*sin(x)"
    errors = ends(equation, "u = 0; dt(u) = 0", exp(-2), step, COUNTS[step])
    assert abs(order(errors) - wanted) < 0.05


def test_waves_that_measure_the_time_by_another_function():
    """du/dψ starts at 1, and du/dt at ψ'(0) = 2."""
    equation = "psicaputo(u, t, 1 + a, log(1 + 2*t)) = dxx(u)"
    exact = waves(np.log(3))
    errors = ends(equation, "u = sin(x); dt(u) = 2*sin(x)", exact, "l1", (60, 120), 7 / 3)
    assert abs(order(errors) - 1.4) < 0.05
    assert errors[-1] < 1e-3


@pytest.mark.parametrize(
    ("left", "known"),
    [
        ("cf(u, t, a)", "cf(t^3, t, a)"),
        pytest.param("abc(u, t, a)", "abc(t^3, t, a)", marks=pytest.mark.slow),
        pytest.param("dt(u) + 2*cf(u, t, a)", "3*t^2 + 2*cf(t^3, t, a)", marks=pytest.mark.slow),
    ],
)
def test_bounded_kernels_are_followed_with_order_two(left, known):
    """The exact solution is t³ sin(x)."""
    errors = ends(f"{left} = dxx(u) + ({known} + t^3)*sin(x)", "u = 0", 1.0, "l1", (20, 40))
    assert abs(order(errors) - 2) < 0.05
    assert errors[-1] < 1e-3


@pytest.mark.slow
def test_a_bounded_kernel_beside_a_caputo_derivative():
    known = "caputo(t^2, t, 1/2) + cf(t^2, t, a) + t^2"
    equation = f"caputo(u, t, 1/2) + cf(u, t, a) = dxx(u) + ({known})*sin(x)"
    errors = ends(equation, "u = 0", 1.0, "l1", (40, 80))
    assert abs(order(errors) - 1.5) < 0.1


@pytest.mark.parametrize(
    ("equation", "initial"),
    [
        pytest.param(TEMPERED, "u = sin(x)", marks=pytest.mark.slow),
        pytest.param(
            "tempered(u, t, 1.6, 2, kind=caputo) = dxx(u)",
            "u = sin(x); dt(u) = sin(x)",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "psicaputo(u, t, 1 + a, log(1 + 2*t)) = dxx(u)",
            "u = sin(x); dt(u) = sin(x)",
            marks=pytest.mark.slow,
        ),
        pytest.param("abc(u, t, 0.6) = dxx(u) + t*sin(x)", "u = 0", marks=pytest.mark.slow),
    ],
)
def test_exponentials_stand_for_every_kernel(equation, initial):
    found = []
    for memory in ("direct", "sum_of_exponentials"):
        run = solver(equation, initial, f"dt = 0.04; step = l1; memory = {memory}")
        found.append(np.asarray(run.solve(save_at=[1.0]).fields["u"][-1]))
    assert np.abs(found[0]).max() > 0.01
    assert np.abs(found[0] - found[1]).max() < 1e-9


@pytest.mark.slow
def test_gradients_in_order_and_rate_pass_through_tempered_memories():
    run = solver(TEMPERED, "u = sin(x)", "dt = 0.1; memory = sum_of_exponentials")

    def size(p):
        return jnp.sum(run.solve({"a": p[0], "L": p[1]}, save_at=[1.0]).fields["u"] ** 2)

    both = jax.jit(jax.vmap(jax.value_and_grad(size)))
    at = jnp.asarray([[0.5, 1.0], [0.7, 2.0]])
    slopes = np.asarray(both(at)[1])
    for k in (0, 1):
        step = 1e-5 * np.eye(2)[k][None]
        wanted = (np.asarray(both(at + step)[0]) - np.asarray(both(at - step)[0])) / 2e-5
        np.testing.assert_allclose(slopes[:, k], wanted, rtol=1e-6)


def test_an_order_that_ends_at_a_whole_number():
    """The exact solution is t² sin(x)."""
    run = solver(
        "vocaputo(u, t, (1 + t)/2) = dxx(u) + (2*t^((3 - t)/2)/gamma((5 - t)/2) + t^2)*sin(x)",
        "u = 0",
        "dt = 0.02; memory = direct",
    )
    assert abs(float(run.solve(save_at=[1.0]).fields["u"][-1, 1]) - 1) < 1e-2
