"""A run that is killed goes on with the same numbers; what cannot be read is said, and harms nothing."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from nablax.backends.artifact.fields import load_field
from nablax.backends.output.paths import OutputError
from nablax.backends.residuals.field import parts
from nablax.backends.residuals.networks import networks
from nablax.backends.training import checkpoint
from nablax.backends.training.finish import written
from nablax.backends.training.loop import programs_of
from nablax.backends.training.run import Silent, train
from nablax.backends.training.task import make_task
from nablax.frontend.parser import read_source
from nablax.overrides import Overrides
from nablax.pipeline import run_stages

HEAT = """
space { x in [0, 1] }
time { t in [0, 1] }
fields { u }
params { D ~ 0.1 in [0.01, 1] }
equations { dt(u) = D*dxx(u) }
initial { u = sin(pi*x) }
boundary { all: u = 0 }
train {
  model = mlp(width=8, depth=2)
  points = [residual(64), initial(16), boundary(16)]
  sampler = rad(every=4)
  steps = [adam(12), lm(8)]
  checkpoint = 4
}
"""


def task_of(text, **train_options):
    overrides = Overrides(train={k: str(v) for k, v in train_options.items()})
    stages = run_stages(read_source("spec", text), overrides)
    system, training, _ = stages.demand_training()
    return make_task(system, training)


def same(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


class StopsAt:
    """Presses Ctrl-C after a reading."""

    def __init__(self, step):
        self.step = step

    def saw(self, reading):
        if reading.step == self.step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def run():
    """A task, its programs, and what an undisturbed run makes."""
    task = task_of(HEAT)
    programs = programs_of(task)
    return task, programs, train(task, programs, None, False, Silent())


@pytest.mark.parametrize("step", [8, 16])  # where new points are due, and inside the second optimiser
def test_an_interrupted_run_goes_on_with_the_same_numbers(run, tmp_path, step):
    task, programs, whole = run
    cut = train(task, programs, tmp_path, False, StopsAt(step))
    assert (cut.status, cut.steps) == ("interrupted", step)
    if step == 8:
        files = written(task, cut, tmp_path, "heat", plot=True).files
        assert [f.name for f in files] == ["heat.nbx"]
        z = np.array([[0.5, 0.25]])
        here = jax.vmap(lambda p: networks(cut.field, *parts(cut.field, cut.params))[0].call(p))(z)
        np.testing.assert_allclose(load_field(files[0])(z)["u"], here[:, 0], rtol=1e-9)
    resumed = train(task, programs, tmp_path, True, Silent())
    assert (resumed.status, resumed.steps) == ("done", 20)
    assert same(whole.params, resumed.params)
    losses = {r.step: r.losses for r in whole.readings}
    assert all(losses[r.step] == r.losses for r in resumed.readings if r.step in losses)


def test_the_state_with_the_least_loss_on_points_held_out_is_kept(run):
    """A phase that spoils what was found does not spoil the field; checkpoints hold what was found."""
    spoiled = task_of(HEAT, steps="[lm(10), adam(8, lr=0.3)]", stop=0)
    found = train(spoiled, programs_of(spoiled), None, False, Silent())
    best = min(found.readings, key=lambda r: r.held)
    (chosen,) = found.chosen
    assert (chosen.step, chosen.steps, chosen.held) == (best.step, 18, best.held)
    assert best.held < 0.5 * found.readings[-1].held


def test_a_damaged_checkpoint_gives_way_to_the_one_before(run, tmp_path):
    task, programs, whole = run
    train(task, programs, tmp_path, False, Silent())
    newest, *older = checkpoint.saved(tmp_path)
    assert len(older) == checkpoint.KEPT - 1
    newest.write_bytes(newest.read_bytes()[:-200])
    assert same(whole.params, train(task, programs, tmp_path, True, Silent()).params)


def test_checkpoints_of_another_run_are_refused_and_kept(run, tmp_path):
    task, programs, _ = run
    train(task, programs, tmp_path, False, StopsAt(4))
    before = {p: p.read_bytes() for p in checkpoint.saved(tmp_path)}
    other = dataclasses.replace(task, training=dataclasses.replace(task.training, seed=1))
    with pytest.raises(OutputError, match="belongs to another run: `seed` differs"):
        train(other, programs, tmp_path, True, Silent())
    assert {p: p.read_bytes() for p in checkpoint.saved(tmp_path)} == before


def test_a_budget_of_time_does_not_change_what_a_run_is():
    first, second = task_of(HEAT), task_of(HEAT, time=1, stop=1)
    assert checkpoint.fingerprint(first) == checkpoint.fingerprint(second)
    other = dataclasses.replace(first.training, seed=3)
    assert checkpoint.fingerprint(dataclasses.replace(first, training=other)) != checkpoint.fingerprint(first)


def test_more_steps_of_the_last_phase_go_on(run, tmp_path):
    task, programs, whole = run
    shorter = task_of(
        HEAT.replace("lm(8)", "lm(4)").replace("train {", "expect { u ~= 0 within 1 }\ntrain {")
    )
    cut = train(shorter, programs, tmp_path, False, Silent())
    assert (cut.status, cut.steps) == ("done", 16)
    assert same(whole.params, train(task, programs, tmp_path, True, Silent()).params)
    again = train(shorter, programs, tmp_path, True, Silent())
    assert (again.status, again.steps) == ("done", 20)


def test_what_a_run_depends_on():
    def differing(change, **options):
        first, second = (
            checkpoint.fingerprint(task_of(HEAT)),
            checkpoint.fingerprint(task_of(change, **options)),
        )
        return [name for name in first if first[name] != second[name]]

    assert differing(HEAT.replace("D ~ 0.1", "D ~ 0.2")) == ["the spec", "the parameters"]
    assert differing(HEAT, steps="[adam(13), lm(8)]") == ["`steps`"]
    assert differing(HEAT, steps="[adam(12), lm(8, damping=1)]") == ["`steps`"]
    assert differing(HEAT, derivatives="nested") == ["`derivatives`"]
    cosine = [checkpoint.fingerprint(task_of(HEAT, steps=f"adam({n}, schedule=cosine)")) for n in (8, 9)]
    assert cosine[0] != cosine[1]


@pytest.mark.slow
def test_kill_at_any_moment(tmp_path):
    """kill -9 while it trains: `--resume` ends where an undisturbed run ends, bit for bit."""
    spec = tmp_path / "heat.pde"
    spec.write_text(
        HEAT.replace("adam(12), lm(8)", "adam(3000)").replace("checkpoint = 4", "checkpoint = 20")
    )
    command = [sys.executable, "-m", "nablax.cli.main", "train", str(spec), "-q", "--no-plot", "-o"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, timeout=300)
    cut = tmp_path / "cut"
    process = subprocess.Popen([*command, str(cut)])
    while len(list(Path(cut).glob("step-*.npz"))) < 3 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (cut / "step-000003000.npz").exists()
    subprocess.run([*command, str(cut), "--resume"], check=True, timeout=300)
    ends = []
    for folder in ("whole", "cut"):
        with np.load(tmp_path / folder / "step-000003000.npz") as found:
            ends.append([found[n] for n in found.files if n.startswith("leaf")])
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))
