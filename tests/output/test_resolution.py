"""The indicator of resolution, and the warning it leads to."""

import numpy as np
import pytest

from nablax.backends.resolution import ResolutionWatch, coarse_difference, spectral_tail
from nablax.outlining import outline_of


def shock(n, width):
    x = 2 * np.pi * np.arange(n) / n
    return np.tanh(np.sin(x) / width)


def test_spectral_tail_falls_exponentially():
    tails = [spectral_tail(shock(n, 0.2), 0) for n in (16, 32, 64, 128)]
    assert tails[0] > 1e-4 > tails[2] > 1e3 * tails[3]
    assert spectral_tail(np.full(64, 3.0), 0) == 0.0


def test_dealiased_modes_count_as_absent():
    x = 2 * np.pi * np.arange(96) / 96
    assert spectral_tail(np.sin(31 * x), 0, 2 / 3) == pytest.approx(1.0)
    assert spectral_tail(np.sin(31 * x), 0, 1.0) < 1e-25


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("odd", [0, 1])
def test_coarse_difference_falls_as_the_fourth_power(periodic, odd):
    errors = []
    for n in (40 + odd, 80 + odd):
        s = np.arange(n) / n if periodic else np.linspace(0, 1, n)
        errors.append(coarse_difference(np.sin(2 * np.pi * s), 0, periodic))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.3)
    assert errors[0] < 0.01


def test_coarse_difference_sees_a_jump_and_a_zigzag():
    s = np.linspace(0, 1, 101)
    assert coarse_difference((s > 0.503) * 1.0, 0, False) > 0.1
    assert coarse_difference((-1.0) ** np.arange(101), 0, False) > 1
    assert coarse_difference(np.full(101, 7.0), 0, False) == 0.0
    assert coarse_difference(np.ones(5), 0, False) == 0.0


def test_axis_that_is_to_blame():
    x = np.linspace(0, 1, 41)[:, None]
    y = np.linspace(0, 1, 41)[None, :]
    values = np.sin(np.pi * x) + (y > 0.51)
    assert coarse_difference(values, 0, False) < 0.01
    assert coarse_difference(values, 1, False) > 0.1


@pytest.mark.parametrize(("width", "resolved"), [(2.0, True), (0.02, False)])
def test_watch(ring, frames_of, width, resolved):
    plan = ring()
    watch = ResolutionWatch(outline_of(plan))
    for frame in frames_of(plan, lambda t, x: {"u": np.tanh(np.sin(x) / width)}):
        watch.see(frame)
    reading = watch.worst()["u"]
    assert reading.resolved == resolved
    assert reading.axis == "x"


def test_watch_leaves_out_the_first_frame_and_rounding(ring, frames_of):
    plan = ring()
    rough = np.random.default_rng(0).normal(size=32)
    watch = ResolutionWatch(outline_of(plan))
    for frame in frames_of(plan, lambda t, x: {"u": rough if t == 0 else np.sin(x) + 1e-12 * rough}):
        watch.see(frame)
    assert watch.worst()["u"].resolved
    vanished = ResolutionWatch(outline_of(plan))
    for frame in frames_of(plan, lambda t, x: {"u": np.sin(x) if t == 0 else 1e-12 * rough}):
        vanished.see(frame)
    assert vanished.worst()["u"].resolved
