"""Derivatives in time that remember the past: exact solutions, published orders, both engines."""

from dataclasses import dataclass
from math import pi

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nablax
from nablax.fractional_calculus.contour import mittag_leffler

CELLS = 40
LAM = (2 * CELLS / pi * np.sin(pi / CELLS / 2)) ** 2  # of the second difference on sin(x)

# c t^p sin(x) for c = 1, the decay of sin(x) for c = 0: time errors only, lam is the grid's own eigenvalue.
MODE = """
space { x in [0, pi] }
time { t in [0, 1] }
fields { u }
params { a = 0.5; c = 0; p = 3; D = 1; lam = 1 }
equations { caputo(u, t, a) = D*dxx(u) + c*(gamma(p + 1)/gamma(p + 1 - a)*t^(p - a) + D*lam*t^p)*sin(x) }
initial { u = (1 - c)*sin(x) }
boundary { all: u = 0 }
solve { method = fd; order = 2; n = 40; dt = 0.01; memory = direct }
"""
LONGEST = 80


@dataclass(frozen=True)
class Run:
    """A mesh (n/steps)^grading and the solution t^p, or E_α(-t^α) where p is None."""

    steps: int
    alpha: float
    p: float | None
    grading: float = 1.0


def crests(runs):
    """Times [runs, LONGEST + 1] and values at the crest, from one program; it goes on beyond t = 1."""
    solver = nablax.parse(MODE, params={"lam": float(LAM)}).compile()
    programs = solver.programs
    times = np.array([(np.arange(LONGEST + 1) / r.steps) ** r.grading for r in runs])
    params = {
        "a": [r.alpha for r in runs],
        "c": [0.0 if r.p is None else 1.0 for r in runs],
        "p": [3.0 if r.p is None else r.p for r in runs],
        "D": [1 / LAM if r.p is None else 1.0 for r in runs],
    }

    def run(own, times):
        ready = programs.prepare(dict(solver.parameters) | own)

        def one(y, step):
            y = programs.method.step(step[0], y, (), step[1], (), ready).carry
            return y, y[0][CELLS // 2]

        start = programs.initial(ready, {}, {}).y
        return jax.lax.scan(one, start, (times[:-1], jnp.diff(times)))[1]

    found = jax.jit(jax.vmap(run))({k: np.asarray(v) for k, v in params.items()}, times)
    return times, np.asarray(found)


@pytest.fixture(scope="module")
def misses():
    """Largest and last error up to t = 1 of every run in question."""
    runs = [Run(n, a, 3.0) for n in (20, 40, 80) for a in SMOOTH]
    for a in SINGULAR:
        for r in (1.0, (2 - a) / a):
            runs += [Run(n, a, p, r) for n in (32, 64) for p in (a, None)]
    times, values = crests(runs)
    found = {}
    for run, t, u in zip(runs, times, values, strict=True):
        t, u = t[1 : run.steps + 1], u[: run.steps]
        exact = (
            mittag_leffler(np, *np.broadcast_arrays(run.alpha, 1.0, -(t**run.alpha), 1.0))
            if run.p is None
            else t**run.p
        )
        miss = np.abs(u - exact)
        found[run] = miss.max(), miss[-1]
    return found


SMOOTH, SINGULAR = (0.3, 0.5, 0.7, 0.9), (0.4, 0.6, 0.8)


def test_smooth_solutions_converge_with_order_two_less_alpha(misses):
    table = {
        20: [2.0949950e-3, 6.2453673e-3, 1.5843587e-2, 3.6877112e-2],
        40: [6.8526923e-4, 2.2882058e-3, 6.5681471e-3, 1.7354400e-2],
        80: [2.2084710e-4, 8.2852903e-4, 2.7006412e-3, 8.1361618e-3],
    }
    for n, wanted in table.items():
        np.testing.assert_allclose([misses[Run(n, a, 3.0)][0] for a in SMOOTH], wanted, rtol=0.02)


@pytest.mark.parametrize(
    ("n", "uniform", "graded"),
    [
        (32, [4.2351261e-2, 2.3317950e-2, 8.9400004e-3], [1.8373231e-3, 2.9707178e-3, 3.8154852e-3]),
        (64, [3.3579952e-2, 1.5924657e-2, 5.3517598e-3], [6.4790241e-4, 1.2163685e-3, 1.8594742e-3]),
    ],
)
def test_weak_singularities_ask_for_a_graded_mesh(misses, n, uniform, graded):
    np.testing.assert_allclose([misses[Run(n, a, a)][0] for a in SINGULAR], uniform, rtol=0.02)
    steep = [misses[Run(n, a, a, (2 - a) / a)][0] for a in SINGULAR]
    np.testing.assert_allclose(steep, graded, rtol=0.02)


@pytest.mark.parametrize(
    ("n", "uniform", "graded", "last"),
    [
        (
            32,
            [4.3935577e-2, 2.6968060e-2, 1.1042293e-2],
            [2.0114319e-3, 3.4272877e-3, 5.1455407e-3],
            [5.5899650e-4, 1.4960867e-3, 3.7411404e-3],
        ),
        (
            64,
            [3.5596502e-2, 1.8261499e-2, 6.3268298e-3],
            [7.1710300e-4, 1.3921956e-3, 2.3995002e-3],
            [1.8664628e-4, 5.6791413e-4, 1.6710422e-3],
        ),
    ],
)
def test_decay_follows_the_mittag_leffler_function(misses, n, uniform, graded, last):
    np.testing.assert_allclose([misses[Run(n, a, None)][0] for a in SINGULAR], uniform, rtol=0.02)
    steep = [misses[Run(n, a, None, (2 - a) / a)] for a in SINGULAR]
    np.testing.assert_allclose([s[0] for s in steep], graded, rtol=0.02)
    np.testing.assert_allclose([s[1] for s in steep], last, rtol=0.02)


ORDERS = """
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
params { a = 0.5; c = 0 }
equations { caputo(u, t, a) = dxx(u) + c*(gamma(4)/gamma(4 - a)*t^(3 - a) + t^3)*sin(x) }
initial { u = (1 - c)*sin(x) }
solve { n = 4; dt = 1/320; step = STEP; memory = direct }
"""


def orders(step, runs):
    """Orders of the largest error and of the last, from the runs of half and of all steps."""
    solver = nablax.parse(ORDERS.replace("STEP", step)).compile()
    programs = solver.programs

    def run(own, times):
        own = dict(solver.parameters) | own
        ready = programs.prepare(own)

        def one(y, step):
            y = programs.method.step(step[0], y, (), step[1], (), ready).carry
            return y, programs.fields(step[0], y, ready)["u"][1]

        start = programs.initial(own, {}, {}).y
        return jax.lax.scan(one, start, (times[:-1], jnp.diff(times)))[1]

    pairs = [(r, n) for r in runs for n in (r.steps // 2, r.steps)]
    longest = max(r.steps for r in runs)
    times = np.array([(np.arange(longest + 1) / n) ** r.grading for r, n in pairs])
    params = {"a": [r.alpha for r, _ in pairs], "c": [float(r.p is not None) for r, _ in pairs]}
    found = jax.jit(jax.vmap(run))({k: np.asarray(v) for k, v in params.items()}, times)
    errors = []
    for (r, n), t, u in zip(pairs, times[:, 1:], np.asarray(found), strict=True):
        exact = t**3 if r.p else mittag_leffler(np, *np.broadcast_arrays(r.alpha, 1.0, -(t**r.alpha), 1.0))
        miss = np.abs(u - exact)[:n]
        errors.append((miss.max(), miss[-1]))
    coarse, fine = np.array(errors[::2]), np.array(errors[1::2])
    return np.log2(coarse / fine)


def test_orders_of_the_l1_scheme():
    smooth = orders("l1", [Run(320, a, 3.0) for a in SMOOTH])[:, 0]
    assert (np.abs(smooth - (2 - np.array(SMOOTH))) < 0.05).all()
    graded = orders("l1", [Run(256, a, None, (2 - a) / a) for a in SINGULAR])[:, 1]
    assert (np.abs(graded - (2 - np.array(SINGULAR))) < 0.05).all()


def test_the_l21sigma_scheme_has_order_two_on_equal_and_on_graded_steps():
    smooth = orders("l21sigma", [Run(160, a, 3.0) for a in SMOOTH])[:, 0]
    assert (np.abs(smooth - 2) < 0.05).all()
    graded = orders("l21sigma", [Run(256, a, None, 2 / a) for a in SINGULAR])[:, 0]
    assert (np.abs(graded - 2) < 0.05).all()


QUADRATURE = """
space { x in [0, pi] }
time { t in [0, 1] }
fields { u }
params { a = 0.5; lam = 1 }
equations { caputo(u, t, a) = dxx(u)/lam }
initial { u = sin(x); START }
boundary { all: u = 0 }
solve { method = fd; order = 2; n = 6; dt = DT; step = cq }
"""


def decay(text, alphas, steps, dt):
    """Errors of E_α(-t^α) at the crest, [alphas, steps]."""
    lam = float((12 / pi * np.sin(pi / 12)) ** 2)
    solver = nablax.parse(text, params={"lam": lam}).compile()
    programs = solver.programs

    def run(alpha):
        ready = programs.prepare(dict(solver.parameters) | {"a": alpha})
        start = programs.initial(ready, {}, {}).y

        def one(y, i):
            y = programs.method.step(i * dt, y, (), jnp.asarray(dt), (), ready).carry
            return y, y[0][3]

        return jax.lax.scan(one, start, jnp.arange(steps, dtype=float))[1]

    found = np.asarray(jax.jit(jax.vmap(run))(np.asarray(alphas)))
    t = dt * np.arange(1, steps + 1)
    a = np.asarray(alphas)[:, None]
    return found - mittag_leffler(np, *np.broadcast_arrays(a, 1.0, -(t**a), 1.0))


def test_corrected_convolution_quadrature_has_order_two_from_a_singular_start():
    """Uncorrected, its error at the end would be 20 times as large and of order 1."""
    table = {
        20: [8.5957421e-5, 1.4792342e-4, 1.8898341e-4],
        40: [2.0858198e-5, 3.6017242e-5, 4.7012432e-5],
    }
    found = {}
    for n, wanted in table.items():
        text = QUADRATURE.replace("; START", "").replace("DT", str(1 / n))
        found[n] = np.abs(decay(text, (0.3, 0.5, 0.8), n, 1 / n)[:, -1])
        np.testing.assert_allclose(found[n], wanted, rtol=0.02)
    assert (np.abs(np.log2(found[20] / found[40]) - 2) < 0.05).all()


def test_oscillations_between_diffusion_and_waves():
    text = QUADRATURE.replace("START", "dt(u) = 0").replace("DT", "1e-3").replace("a = 0.5", "a = 1.5")
    text = text.replace("[0, 1]", "[0, 4]")
    alphas = (1.2, 1.5, 1.8)
    errors = decay(text, alphas, 4000, 1e-3)
    assert np.abs(errors[:, [499, 999, 1999, 3999]]).max() < 3e-6
