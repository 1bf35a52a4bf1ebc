"""`nablax run` and `nablax plot`, with replayed and with real solvers."""

import json
import signal
import subprocess
import sys
import time

import pytest

from nablax.backends.frames import Breakdown, NumericalFailure, Progress
from nablax.backends.output.store import open_run

BLOW_UP = """\
space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) + u*dx(u) = 0.01*dxx(u) }
initial { u = 5*sin(x) }
solve { n = 64; step = rk4; dt = 0.2 }
output { every = 0.2 }
"""


def test_run(nablax, heat, solved, frames):
    solved(*frames())
    answer = nablax("run", "heat.pde")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "heat.zarr  5 frames of u, t = 0 to 1"
    assert lines[1] == "heat.png"
    assert lines[2].startswith("✓ u ≈ sin(x)*exp(-nu*t)  relative L2 error ")
    assert lines[3].startswith("4 steps in ")
    assert (heat.parent / "heat.png").is_file()


def test_run_elsewhere(nablax, heat, solved, frames):
    solved(*frames())
    assert nablax("run", "heat.pde", "-o", "sub/out.nc", "--no-plot").code == 0
    assert not (heat.parent / "heat.zarr").exists()
    assert not (heat.parent / "sub" / "out.png").exists()
    with open_run(heat.parent / "sub" / "out.nc") as run:
        assert run.sizes["t"] == 5


def test_quiet_and_json(nablax, heat, solved, frames):
    solved(*frames())
    assert nablax("run", "heat.pde", "-q", "--no-plot").out == ""
    answer = nablax("run", "heat.pde", "--json", "--no-plot")
    data = json.loads(answer.out)
    assert (data["schema"], data["status"], data["frames"], data["exit_code"]) == (1, "done", 5, 0)
    assert data["expect"][0]["passed"] is True
    assert data["diagnostics"] == []


def test_missed_expectation(nablax, heat, solved, frames):
    solved(*frames(amplitude=1.1))
    answer = nablax("run", "heat.pde", "--no-plot")
    assert answer.code == 4
    assert "✗ u ≈ sin(x)*exp(-nu*t)  relative L2 error 0.1 at t = 1" in answer.out


def test_a_condition_that_breaks_a_run_down_is_named(nablax, tmp_path):
    spec = tmp_path / "pole.pde"
    spec.write_text(
        "space { x in [0, 1] }\ntime { t in [0, 0.1] }\nfields { u }\nequations { dt(u) = dxx(u) }\n"
        "initial { u = 1 }\nboundary { x = 0: u = 0.03/(0.03 - t); x = 1: u = 1 }\n"
        "solve { n = 8; order = 2; step = dopri5 }\n",
        "utf-8",
    )
    answer = nablax("run", str(spec), "--no-plot")
    assert answer.code == 3
    assert "error[R705]: this condition has no finite value at x = 0, t = 0.03\n" in answer.err
    assert "boundary { x = 0: u = 0.03/(0.03 - t); x = 1: u = 1 }\n" in answer.err


def test_breakdown(nablax, heat, solved, frames):
    failure = NumericalFailure(Breakdown("infinite", 0.6, "u", {"x": 1.5}, 0.5, 1e9, 0.01))
    solved(*frames(count=3), failure)
    answer = nablax("run", "heat.pde", "--no-plot")
    assert answer.code == 3
    assert "error[R701]: `u` became infinite at t = 0.6, x = 1.5" in answer.err
    assert "3 of 5 frames" in answer.out
    solved(*frames(count=3), failure)
    data = json.loads(nablax("run", "heat.pde", "--json", "--no-plot").out)
    assert (data["status"], data["exit_code"], data["diagnostics"][0]["code"]) == ("broken", 3, "R701")
    solved(*frames(count=3), failure)
    assert "R701" in nablax("run", "heat.pde", "--quiet", "--no-plot").err


def test_interrupt(nablax, heat, solved, frames):
    solved(*frames(count=2), Progress(0.3, 5), KeyboardInterrupt())
    answer = nablax("run", "heat.pde")
    assert answer.code == 130
    assert "2 of 5 frames" in answer.out
    with open_run(heat.parent / "heat.zarr") as run:
        assert (run.sizes["t"], run.attrs["complete"]) == (2, 0)


def test_a_plan_without_a_program(nablax, heat, monkeypatch):
    from nablax.backends.interface import Unsupported

    def refuse(plan):
        raise Unsupported("no such program", plan.system.evolution[0].span)

    monkeypatch.setattr("nablax.backends.solver.build", refuse)
    answer = nablax("run", "heat.pde")
    assert answer.code == 1
    assert "error[P402]: no such program" in answer.err


def test_wrong_spec(nablax, heat):
    heat.write_text(heat.read_text("utf-8").replace("u = sin(x)", "u = sin(q)"), "utf-8")
    answer = nablax("run", "heat.pde")
    assert (answer.code, answer.out) == (1, "")
    assert "error[P1" in answer.err
    data = json.loads(nablax("run", "heat.pde", "--json").out)
    assert (data["schema"], data["status"], data["exit_code"]) == (1, "refused", 1)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("out.csv", "neither `.zarr` nor `.nc`"),
        ("precious.nc", "not written by nablax"),
        ("precious.nc/out.zarr", "cannot be written"),
    ],
)
def test_output_that_cannot_be(nablax, heat, solved, frames, output, message):
    (heat.parent / "precious.nc").write_text("precious")
    solved(*frames())
    answer = nablax("run", "heat.pde", "-o", output)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert (heat.parent / "precious.nc").read_text() == "precious"


def test_a_spec_that_writes_outside_its_folder(nablax, heat, solved, frames):
    solved(*frames())
    heat.write_text(heat.read_text("utf-8").replace("every = 0.25", 'save = "../out.zarr"'), "utf-8")
    answer = nablax("run", "heat.pde")
    assert answer.code == 1
    assert "error[P550]" in answer.err


def test_plot(nablax, heat, solved, frames):
    solved(*frames())
    assert nablax("run", "heat.pde", "--no-plot").code == 0
    assert nablax("plot", "heat.zarr").out == "heat.png\n"
    assert nablax("plot", "heat.zarr", "--what", "lines", "-o", "lines.pdf").code == 0
    assert nablax("plot", "heat.zarr", "--movie", "-o", "heat.gif").out == "heat.gif\n"
    for arguments in (("--what", "heatmap"), ("--what", "pie"), ("--field", "w"), ("-o", "a.txt")):
        answer = nablax("plot", "heat.zarr", *arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("error: ")
    assert nablax("plot", "missing.zarr").code == 2
    assert nablax("plot", "heat.pde").code == 2
    (heat.parent / "mine.png").write_text("precious")
    assert nablax("plot", "heat.zarr", "-o", "mine.png").code == 2


def test_a_real_run(child, heat):
    answer = child("run", "heat.pde", "--set", "nu=0.25", "--solve", "n=16", cwd=heat.parent)
    assert (answer.code, answer.err) == (0, "")
    assert "✓ u ≈ sin(x)*exp(-nu*t)" in answer.out
    with open_run(heat.parent / "heat.zarr") as run:
        assert (run.sizes["t"], run.sizes["x"], run["u"].dtype) == (5, 16, "float64")
        assert json.loads(run.attrs["parameters"]) == {"nu": 0.25}


def test_a_real_breakdown(child, heat):
    heat.write_text(BLOW_UP)
    answer = child("run", "heat.pde", cwd=heat.parent)
    assert answer.code == 3
    assert "error[R701]" in answer.err
    assert "equations { dt(u) + u*dx(u) = 0.01*dxx(u) }" in answer.err


def test_standard_input(child, heat):
    answer = child("run", "-", "--no-plot", text=heat.read_text("utf-8"), cwd=heat.parent)
    assert answer.code == 0
    assert (heat.parent / "out.zarr").is_dir()


def test_a_real_interrupt(heat):
    heat.write_text(heat.read_text("utf-8").replace("[0, 1]", "[0, 1e9]").replace("0.25", "1e3"), "utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "nablax.cli.main", "run", "heat.pde", "--solve", "dt=0.5", "--no-plot"],
        cwd=heat.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A test run in the background hands down that interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        data = heat.parent / "heat.zarr" / ".zmetadata"
        while process.poll() is None and not (
            data.exists() and '"frames_written": 0' not in data.read_text()
        ):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert "interrupted" in out.decode()
    with open_run(heat.parent / "heat.zarr") as run:
        assert run.sizes["t"] >= 1
        assert run.attrs["complete"] == 0
