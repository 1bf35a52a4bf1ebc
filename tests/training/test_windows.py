"""Windows of time: each begins with the state that the one before ends with; one field speaks for all."""

import jax
import numpy as np
import pytest
from sympy import Rational

import nablax
from nablax.backends.artifact.fields import load_field
from nablax.backends.training.finish import exported, judged
from nablax.backends.training.loop import programs_of
from nablax.backends.training.run import Silent, train
from nablax.backends.training.task import make_task
from nablax.frontend.diagnostics import Severity
from nablax.frontend.explain import read_page
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import check, run_stages

pytestmark = pytest.mark.brief

WAVE = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
equations { dtt(u) = 4/25*dxx(u) }
initial { u = sin(pi*x); dt(u) = 0 }
boundary { all: u = 0 }
train { model = mlp(width=8, depth=1); steps = lm(25); points = residual(64); sampler = sobol; windows = 2 }
expect { u ≈ sin(pi*x)*cos(2*pi*t/5) within 1e-2 }
"""
DECAY = """
space { x in [0, 1] }
time { t in [1, 3] }
fields { u; v }
equations { dt(u) = v - u; dt(v) = -v }
initial { u = 0; v = abs(x - 1/2) + 1 }
train {
  model = mlp(width=4, depth=1); hard = off; steps = adam(6); checkpoint = 2; sampler = sobol(every=4)
  points = [residual(16), initial(8)]; dtype = float64
  windows = 2; weights = [initial(10), gradnorm(every=3)]
}
"""


def task_of(text, **options):
    stages = run_stages(read_source("spec", text), Overrides(train=options))
    system, training, _ = stages.demand_training()
    return make_task(system, training)


class Interrupts:
    """Presses Ctrl-C after a step."""

    def __init__(self, step):
        self.step, self.seen = step, []

    def saw(self, reading):
        self.seen.append(reading.window)
        if reading.step == self.step:
            raise KeyboardInterrupt


def same(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def test_a_wave_goes_through_a_border_with_its_rate(tmp_path):
    task = task_of(WAVE)
    found = judged(task, train(task, programs_of(task), None, False, Silent()))
    assert found.met, found.verdicts
    assert found.diagnostics == ()
    assert [c.ends for c in found.chosen] == [(0, 0.5), (0.5, 1)]
    assert {r.window for r in found.readings} == {0, 1}
    path = tmp_path / "wave.nbx"
    path.write_bytes(exported(task, found))
    field = load_field(path)
    x = np.linspace(0, 1, 9)

    def u(t):
        return np.asarray(field({"x": x, "t": np.full(9, t)})["u"])

    border = 1e-6
    before, at, after = (u(0.5 + k * border) for k in (-1, 0, 1))
    np.testing.assert_allclose(before, at, atol=2e-6)
    np.testing.assert_allclose((at - before) / border, (after - at) / border, atol=1e-4)
    np.testing.assert_allclose(u(0.0), np.sin(np.pi * x), atol=1e-12)
    for t in (0.25, 0.75):
        np.testing.assert_allclose(u(t), np.sin(np.pi * x) * np.cos(0.4 * np.pi * t), atol=1e-2)
        assert np.abs(u(t)[[0, -1]]).max() < 1e-12
    residual = nablax.parse(WAVE).residual(found.field)
    left = residual(found.params, {"x": x[1:-1], "t": np.full(7, 0.8)})["equation/u"]
    assert np.abs(np.asarray(left)).max() < 0.1


def test_windows_that_were_never_trained_are_named():
    """The bad page's run ends inside of its first window; one that comes to its end says nothing (above)."""
    page = read_page("R721")
    short = nablax.train(nablax.parse(page.bad))
    assert [(d.code, d.severity) for d in short.diagnostics] == [("R721", Severity.WARNING)]
    assert "windows 2 to 4 of 4 were never trained" in short.diagnostics[0].message
    assert "up to 0.25" in short.diagnostics[0].message
    assert "longer `time`" in short.diagnostics[0].help
    assert short.field.problem.time.upper == Rational(1, 4)
    assert check(read_source("good", page.good)).diagnostics == []


@pytest.mark.slow
def test_runs_cut_anywhere_go_on_with_the_same_numbers(tmp_path):
    """Inside a window, at a border; while conditions are losses, and weights and points move."""
    task = task_of(DECAY)
    programs = programs_of(task)
    whole = train(task, programs, None, False, Silent())
    assert (whole.status, whole.steps, len(whole.params)) == ("done", 12, 2)
    for step in (6, 9):
        watcher = Interrupts(step)
        cut = train(task, programs, tmp_path / str(step), False, watcher)
        assert (cut.status, cut.steps, watcher.seen[-1]) == ("interrupted", step, (step - 1) // 6)
        assert cut.field.problem.time.upper == (2 if step == 6 else 3)
        resumed = train(task, programs, tmp_path / str(step), True, Silent())
        assert same(whole.params, resumed.params)
        assert whole.chosen == resumed.chosen
        assert [r.losses for r in whole.readings if r.step > step] == [
            r.losses for r in resumed.readings if r.step > step
        ]


@pytest.mark.slow
def test_initial_losses_of_a_window_are_against_the_one_before():
    task = task_of(DECAY, steps="[adam(1), lm(20)]")
    found = train(task, programs_of(task), None, False, Silent())
    assert found.readings[-1].losses["initial/u"] < 1e-5
    z = np.array([[0.3, 2.0 - 1e-9], [0.3, 2.0]])
    one, other = jax.vmap(lambda p: found.field.call(found.params, p))(z)
    np.testing.assert_allclose(one, other, atol=3e-3)
    exact = (0.2 + 1) * np.exp(-1) * np.array([1, 1])  # t = 2: v = v0 e^-1, u = (t - 1) v
    np.testing.assert_allclose(other, exact, atol=0.1)
