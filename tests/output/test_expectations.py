"""`expect`, statement by statement, on frames with known values."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from nablax.backends.expectations import Judge
from nablax.outlining import outline_of


def judge(plan, frames, params=None):
    seen = Judge(outline_of(plan), params or {"nu": 0.5})
    for frame in frames:
        seen.see(frame)
    return seen.verdicts()


@pytest.fixture
def verdict(ring, frames_of, exact):
    def make(statement, fields=exact):
        plan = ring(statement)
        (only,) = judge(plan, frames_of(plan, fields))
        return only

    return make


def test_field_in_relative_l2(verdict):
    assert verdict("u ≈ sin(x)*exp(-nu*t)").passed
    off = verdict("u ≈ sin(x)*exp(-nu*t)*1.01 within 1e-3")
    assert not off.passed
    assert off.measure == "relative L2 error"
    assert off.measured == pytest.approx(0.01 / 1.01)
    assert (off.bound, off.t) == (1e-3, 1.0)


def test_default_tolerance(verdict):
    assert verdict("u ≈ sin(x)*exp(-nu*t)*(1 + 9e-7)").passed
    assert not verdict("u ≈ sin(x)*exp(-nu*t)*(1 + 2e-6)").passed


def test_field_against_zero_is_absolute(verdict):
    small = verdict("u ≈ 0 within 2", lambda t, x: {"u": np.cos(x)})
    assert (small.measure, small.passed) == ("L2 error", True)
    assert small.measured == pytest.approx(np.sqrt(np.pi))


def test_reference_that_is_rounding_on_its_frame(verdict):
    def wave(t, x):
        return {"u": np.sin(x) * np.sin(np.pi * t) + 1e-3 * np.sin(x)}

    field = verdict("u ≈ sin(x)*sin(pi*t) within 2e-3", wave)
    assert (field.passed, field.measure) == (True, "relative L2 error")
    assert field.measured == pytest.approx(1e-3, rel=0.02)  # the largest frame is near t = 1/2
    number = verdict("integral(u*sin(x)) ≈ pi*sin(pi*t) within 2e-3", wave)
    assert (number.passed, number.measure) == (True, "relative error")
    assert number.measured == pytest.approx(1e-3, rel=0.02)
    assert not verdict("u ≈ sin(x)*sin(pi*t) within 5e-4", wave).passed
    always = verdict("always u ≈ sin(x)*sin(pi*t) within 1.2e-3", wave)
    assert (always.passed, always.t) == (False, 0.25)  # the error is relative to the frame itself there
    huge = verdict("t = 0: u ≈ 1e9*sin(x)*sin(pi*t) within 1e-6", wave)
    assert huge.passed  # where the right side is 0 at once, the error counts against its largest


def test_scalars(verdict):
    assert verdict("integral(u^2) ≈ pi*exp(-1)").measure == "relative error"
    assert verdict("integral(u^2) ≈ pi*exp(-1) within 1e-12").passed
    zero = verdict("integral(u) ≈ 0 within 1e-12")
    assert (zero.measure, zero.passed) == ("error", True)
    assert verdict("mean(u^2) ≈ exp(-1)/2 within 1e-12").passed


def test_times(verdict):
    assert verdict("t = 0.5: u ≈ sin(x)*exp(-1/4)").t == 0.5
    assert verdict("t = 0.5: u ≈ sin(x)*exp(-1/4)").passed
    assert not verdict("u ≈ sin(x)*exp(-1/4)").passed
    assert verdict("t = 0: u ≈ sin(x)").passed


def test_always_keeps_the_worst_frame(verdict):
    held = verdict("always max(|u|) <= 1")
    assert (held.passed, held.t, held.measured) == (True, 0.0, pytest.approx(1.0))
    broken = verdict("always max(u) <= 0.9")
    assert (broken.passed, broken.t) == (False, 0.0)
    low = verdict("always min(u) >= -0.5")
    assert (low.passed, low.t, low.measured) == (False, 0.0, pytest.approx(-1.0))
    close = verdict("always u ≈ sin(x) within 0.3")
    assert (close.passed, close.t) == (False, 1.0)


def test_inequalities_allow_rounding(verdict):
    def one(t, x):
        return {"u": np.full_like(x, 1 + 5e-10)}

    assert verdict("max(u) <= 1", one).passed
    assert verdict("max(u) < 1", one).passed
    assert not verdict("max(u) <= 1", lambda t, x: {"u": np.full_like(x, 1 + 2e-9)}).passed
    assert verdict("max(u) <= 1000", lambda t, x: {"u": np.full_like(x, 1000 + 9e-7)}).passed


def test_pointwise_inequality(verdict):
    assert verdict("u <= 1.5").passed
    over = verdict("u <= cos(x)")
    assert (over.passed, over.measure) == (False, "excess")


def test_not_a_number_is_a_miss(verdict):
    assert not verdict("u ≈ sin(x)", lambda t, x: {"u": np.full_like(x, np.nan)}).passed
    assert not verdict("max(u) <= 1", lambda t, x: {"u": np.full_like(x, np.nan)}).passed


def test_derivatives(verdict):
    assert verdict("dx(u) ≈ cos(x)*exp(-nu*t) within 1e-10").passed
    assert verdict("integral(dxx(u)^2) ≈ pi*exp(-1) within 1e-10").passed


def test_unreached_frame(ring, frames_of, exact):
    plan = ring("u ≈ sin(x)")
    (only,) = judge(plan, frames_of(plan, exact)[:3])
    assert (only.passed, only.measured, only.reason) == (False, None, "the run did not get there")


def test_text_and_order(ring, frames_of, exact):
    plan = ring("max(u)  <= 2; always min(u) >=\n -2")
    assert [v.text for v in judge(plan, frames_of(plan, exact))] == ["max(u) <= 2", "always min(u) >= -2"]


def test_vectors_and_complex_jointly(plan_of, frames_of):
    text = """
    space { x in [0, 2*pi] periodic; y in [0, 2*pi] periodic }
    time { t in [0, 1] }
    fields { U: vector; psi: complex }
    equations { dt(U) = ΔU; dt(psi) = i*Δpsi }
    initial { U = (sin(y), sin(x)); psi = exp(i*x) }
    output { every = 1 }
    expect { U.x ≈ sin(y) within 0.1; psi ≈ exp(i*x) within 1e-12 }
    """
    plan = plan_of(text)
    problem = plan.system.problem
    U = sp.Tuple(*(c.value for c in problem.fields[0].components))
    joint = replace(problem.expectations[0], left=U, right=sp.Tuple(problem.expectations[0].right, 0))
    problem = replace(problem, expectations=(joint, problem.expectations[1]))
    plan = replace(plan, system=replace(plan.system, problem=problem))

    def fields(t, x, y):
        return {"U.x": np.sin(y), "U.y": 0.05 * np.sin(x), "psi": np.exp(1j * x)}

    vector, phase = judge(plan, frames_of(plan, fields), {})
    assert vector.measured == pytest.approx(0.05)
    assert vector.passed
    assert phase.passed


def test_integral_along_one_axis(verdict):
    assert verdict("integral(u^2, x) ≈ pi*exp(-1)").passed
