"""A trained field: judged at points, kept in a file that needs no compiler, scored against the solver."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nablax
from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.training.finish import exported, judged
from nablax.backends.training.loop import programs_of
from nablax.backends.training.run import Silent, train
from nablax.backends.training.task import make_task

WAVE = """
space { x in [0, 1] }
fields { u }
params { k ~ 2 in [1, 5] }
equations { dxx(u) + k*u = 3*sin(pi*x) }
boundary { x = 0: u = 0; x = 1: u = 0 }
data { sensors = csv("sensors.csv", at=[x], value=u, sigma=0.1) }
train { model = mlp(width=8, depth=2); steps = lm(40); points = [residual(64), boundary(4)]; sampler = sobol }
expect {
  u ≈ 3*sin(pi*x)/(4 - pi^2) within 1e-4
  k ≈ 4 within 1e-4
  max(u) <= 0.001
  integral(u) ≈ 6/pi/(4 - pi^2) within 1e-3
  dx(u) ≈ 3*pi*cos(pi*x)/(4 - pi^2) within 1e-3
}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An inverse problem: k from eleven measurements of the exact solution."""
    folder = tmp_path_factory.mktemp("spec")
    x = np.linspace(0, 1, 11)
    rows = "\n".join(f"{a},{b}" for a, b in zip(x, 3 * np.sin(np.pi * x) / (4 - np.pi**2), strict=True))
    (folder / "sensors.csv").write_text(f"x,u\n{rows}\n")
    problem = nablax.parse(WAVE, folder=folder)
    system, training, _ = problem.stages.demand_training()
    task = make_task(system, training)
    return task, judged(task, train(task, programs_of(task), None, False, Silent()))


def test_field_and_unknown_are_found_and_judged(trained):
    _, found = trained
    assert found.status == "done"
    assert abs(found.unknowns["k"] - 4) < 1e-3
    assert all(v.passed for v in found.verdicts), found.verdicts


def test_a_wrong_statement_is_missed(trained):
    task, found = trained
    problem = nablax.parse(
        WAVE.replace("4 - pi^2) within 1e-4", "4.1 - pi^2) within 1e-4"),
        folder=Path(task.system.problem.data[0].path).parent,
    )
    from dataclasses import replace

    from nablax.backends.training.judge import judge

    field = replace(found.field, problem=problem.system.problem)
    verdict = judge(field, found.params, 1, "float64")[0]
    assert not verdict.passed
    assert verdict.measured == pytest.approx(0.1 / (np.pi**2 - 4), rel=0.05)


def test_a_misfit_weighs_as_much_as_its_table_is_precise(tmp_path):
    """The most precise table counts relative to the size of its values; the other keeps its share."""
    (tmp_path / "near.csv").write_text("x,u\n0.2,3\n0.4,-4\n")  # root mean square 5/√2
    (tmp_path / "far.csv").write_text("x,u\n0.5,1\n")
    tables = """
      near = csv("near.csv", at=[x], value=u, sigma=0.05)
      far = csv("far.csv", at=[x], value=u, sigma=0.2)
    """
    text = WAVE.replace('sensors = csv("sensors.csv", at=[x], value=u, sigma=0.1)', tables)

    def weights(asked):
        spec = text.replace("sampler = sobol", f"sampler = sobol; {asked}")
        training = nablax.parse(spec, folder=tmp_path).stages.demand_training()[1]
        return dict(training.weighting.fixed)

    share = pytest.approx(2e-4)
    assert weights("") == {"data/near": share, "data/far": share}
    assert weights("weights = residual(2)") == {"data/near": share, "data/far": share, "equation": 2}
    assert weights("weights = data(3)") == {"data": 3}
    assert weights("weights = gradnorm") == {}


def test_the_field_goes_through_a_file_without_the_compiler(trained, tmp_path):
    task, found = trained
    path = tmp_path / "wave.nbx"
    path.write_bytes(exported(task, found))
    program = (
        "import sys, json, jax; jax.config.update('jax_enable_x64', True); import nablax;"
        f"f = nablax.load_field({str(path)!r});"
        "u = f({'x': [0.25, 0.5]})['u'];"
        "slope = jax.grad(lambda x: f(x[None, None])['u'][0])(jax.numpy.asarray(0.25));"
        "assert not {'sympy', 'lark'} & set(sys.modules);"
        "print(json.dumps([*map(float, u), float(slope), f.unknowns['k']]))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    low, mid, slope, k = json.loads(told.stdout)
    scale = 3 / (4 - np.pi**2)
    assert [low, mid] == pytest.approx([scale * np.sin(np.pi / 4), scale], rel=1e-4)
    assert slope == pytest.approx(scale * np.pi * np.cos(np.pi / 4), rel=1e-3)
    assert k == pytest.approx(found.unknowns["k"])
    with pytest.raises(ArtifactError, match=r"it is a trained field") as caught:
        nablax.load_artifact(path)
    assert "nablax.load_field" in caught.value.help
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ArtifactError, match=r"wave\.nbx"):
        nablax.load_field(path)
