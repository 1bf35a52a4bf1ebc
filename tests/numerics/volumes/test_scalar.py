"""Scalar laws: order, conservation, no new extrema, the speed of shocks."""

import jax.numpy as jnp
import numpy as np
import pytest

from nablax import parse
from nablax.frontend.parser import read_source
from nablax.pipeline import run_stages


def ring(equation: str, initial: str, end: float = 1.0, axes: str = "x", params: str = "") -> str:
    space = "; ".join(f"{a} in [0, 1] periodic" for a in axes.split())
    return (
        f"space {{ {space} }}\ntime {{ t in [0, {end}] }}\nfields {{ u }}\nparams {{ {params} }}\n"
        f"equations {{ {equation} }}\ninitial {{ u = {initial} }}\n"
    )


def solved(text: str, **options: object) -> np.ndarray:
    """The first and the last frame; shape (2, cells...)."""
    solver = parse(text).compile(**options)
    ends = (solver.plan.frames[0], solver.plan.frames[-1])
    return np.asarray(solver.solve(save_at=ends).fields["u"])


def orders(errors: list[float]) -> np.ndarray:
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize(("order", "least"), [(2, 1.8), (5, 4.7)])
def test_order_of_advection(order, least):
    text = ring("dt(u) + dx(u) = 0", "sin(2*pi*x)")
    errors = []
    for n in (20, 40) if order == 5 else (80, 160):
        first, last = solved(text, method="fv", order=order, n=n, dt=0.4 * n ** (-5 / 3))
        errors.append(float(np.abs(last - first).mean()))
    assert orders(errors).min() > least


@pytest.mark.slow
@pytest.mark.brief
def test_three_dimensions():
    """A plane wave along the diagonal: order, mass and bounds."""
    errors = []
    for n in (8, 16):
        text = ring("dt(u) + dx(u) + dy(u) + dz(u) = 0", "sin(2*pi*(x + y + z))", 0.05, "x y z")
        first, last = solved(text, method="fv", order=5, n=n, dt=0.1 * n ** (-5 / 3))
        assert abs(last.mean() - first.mean()) < 1e-14
        centres = (np.arange(n) + 0.5) / n
        x, y, z = np.meshgrid(centres, centres, centres, indexing="ij")
        exact = np.sinc(1 / n) ** 3 * np.sin(2 * np.pi * (x + y + z - 0.15))  # the average over a cell
        errors.append(float(np.abs(last - exact).mean()))
    assert orders(errors).min() > 4, errors
    steep, after = solved(ring("dt(u) + dx(u^2/2) + dz(u) = 0", "box(x*y, 0, 0.3)", 0.1, "x y z"), n=12)
    assert abs(after.mean() - steep.mean()) < 1e-14
    assert after.min() > -1e-12
    assert after.max() < 1 + 1e-12


@pytest.mark.slow
def test_order_of_a_nonlinear_law_in_two_dimensions():
    # u = f(x + y - 2ut): the average over a cell by Newton's method at Gauss points.
    text = ring("dt(u) + dx(u^2/2) + dy(u^2/2) = 0", "1 + sin(2*pi*(x + y))/4", 0.1, "x y")
    errors = []
    for n in (24, 48):
        _, last = solved(text, order=5, n=n, dt=0.1 * n ** (-5 / 3))
        points, weights = np.polynomial.legendre.leggauss(5)
        centres = (np.arange(n) + 0.5) / n
        exact = np.zeros((n, n))
        for p, a in zip(points, weights, strict=True):
            for q, b in zip(points, weights, strict=True):
                s = (centres + p / (2 * n))[:, None] + (centres + q / (2 * n))[None, :]
                u = np.ones_like(s)
                for _ in range(60):
                    phase = 2 * np.pi * (s - 0.2 * u)
                    u -= (u - 1 - np.sin(phase) / 4) / (1 + 0.1 * np.pi * np.cos(phase))
                exact += a * b / 4 * u
        errors.append(float(np.abs(last - exact).mean()))
    assert orders(errors).min() > 4.6, errors  # 4.41 from 16 to 32, 4.70 here: rising to 5


@pytest.mark.parametrize(
    ("equation", "initial", "axes", "order"),
    [
        ("dt(u) + u*dx(u) = 0", "box(x, 0.2, 0.6) - box(x, 0.7, 0.8)/2", "x", 2),
        ("dt(u) + dx(u^2/(u^2 + (1 - u)^2/2)) = 0", "box(x, 0.1, 0.5)", "x", 5),  # Buckley and Leverett
        ("dt(u) + dx(u^2/2) + dy(u) = 0", "box(x, 0.2, 0.6)*box(y, 0.3, 0.7)", "x y", 2),
        ("dt(u) + dx(u^2/2) + dy(u) = 0", "box(x, 0.2, 0.6)*box(y, 0.3, 0.7)", "x y", 5),
    ],
)
def test_no_new_extrema_and_nothing_lost(equation, initial, axes, order):
    n = 60 if axes == "x" else 20
    solver = parse(ring(equation, initial, 0.3, axes)).compile(order=order, n=n)
    u = np.asarray(solver.solve(save_at=np.linspace(0, 0.3, 7)).fields["u"])
    scale = u[0].max() - u[0].min()
    assert u.max() <= u[0].max() + 1e-13 * scale
    assert u.min() >= u[0].min() - 1e-13 * scale
    means = u.reshape(len(u), -1).mean(axis=1)
    assert np.ptp(means) < 1e-13
    if axes == "x":
        variation = np.abs(np.diff(u, axis=1, append=u[:, :1])).sum(axis=1)
        assert variation[-1] <= variation[0] * (1 + 1e-3)


def test_a_shock_runs_at_the_mean_of_its_states():
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 0.4] }\nfields { u }\n"
        "equations { dt(u) + u*dx(u) = 0 }\ninitial { u = where(x < 0.3, 1, 0.2) }\n"
        "boundary { x = 0: u = 1; x = 1: dn(u) = 0 }\n"
    )
    first, last = solved(text, n=100)
    moved = (last.mean() - first.mean()) / (1 - 0.2)
    assert moved == pytest.approx(0.6 * 0.4, rel=1e-9)
    front = np.interp(-0.6, -last, (np.arange(100) + 0.5) / 100)
    assert front == pytest.approx(0.3 + 0.24, abs=0.01)


def test_expanded_and_divergence_forms_are_the_same_program():
    a = solved(ring("dt(u) + u*dx(u) = 0", "sin(2*pi*x)", 0.3), n=40)
    b = solved(ring("dt(u) = -dx(u^2/2)", "sin(2*pi*x)", 0.3), n=40)
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("order", [2, 5])
def test_inflow_keeps_the_order_up_to_the_wall(order):
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\n"
        "equations { dt(u) + dx(u) = 0 }\ninitial { u = sin(2*x) }\nboundary { x = 0: u = sin(-2*t) }\n"
    )
    errors = []
    for n in (10, 20):
        # Data that depend on time cost stages of a step an order beside the wall: short steps.
        _, last = solved(text, method="fv", order=order, n=n, dt=2 * n**-2.5)
        edges = np.arange(n + 1) / n
        exact = -n * np.diff(np.cos(2 * (edges - 1))) / 2
        errors.append(float(np.abs(last - exact).mean()))
    assert orders(errors).min() > {2: 1.7, 5: 3.2}[order]


def test_variable_speed_and_a_source():
    # u_t + (1 + x/2) u_x = -u/2 on a stretch with inflow: u = exp(-t) is a solution of u_t + a u_x = -u.
    text = (
        "space { x in [0, 1] }\ntime { t in [0, 1] }\nfields { u }\n"
        "equations { dt(u) + (1 + x/2)*dx(u) = -u }\ninitial { u = 1 }\nboundary { x = 0: u = exp(-t) }\n"
    )
    _, last = solved(text, method="fv", n=32)
    np.testing.assert_allclose(last, np.exp(-1), rtol=1e-4)


@pytest.mark.parametrize(
    ("speed", "axis", "reason"),
    [
        ("where(x < 0.5, 1, 2)", "x in [0, 1]", "may jump along x"),
        ("1 + heaviside(x - 0.5)", "x in [0, 1] periodic", "may jump along x"),
        ("1 + tanh(40*(x - 0.5))/2", "x in [0, 1] periodic", "does not close up around x"),
        ("1 + abs(x - 0.5)", "x in [0, 1] periodic", ""),
        ("1 + exp(-((x - 0.4)/0.1)^2)", "x in [0, 1] periodic", ""),
    ],
)
def test_a_speed_that_jumps_is_no_flux(speed: str, axis: str, reason: str) -> None:
    """c u_x = (c u)_x - c' u, and the c' of a jump is a delta."""
    walls = "" if "periodic" in axis else "boundary { x = 0: u = 1 }"
    text = (
        f"space {{ {axis} }} time {{ t in [0, 1] }} fields {{ u }} initial {{ u = 1 }} {walls}\n"
        f"equations {{ dt(u) + {speed}*dx(u) = 0 }} solve {{ method = fv }}"
    )
    found = run_stages(read_source("spec", text))
    # A coefficient that does not close up is told of for itself too (P318).
    told = [d for d in found.report.diagnostics if d.code != "P318"]
    assert [d.code for d in told] == (["P401"] if reason else [])
    assert all(d.message.endswith(reason) for d in told)


def test_single_precision_and_batches():
    solver = parse(ring("dt(u) + c*dx(u^2/2) = 0", "1 + sin(2*pi*x)/2", 0.3, params="c = 1")).compile(
        n=40, dtype="float32"
    )
    assert solver.solve(save_at=(0.3,)).fields["u"].dtype == jnp.float32
