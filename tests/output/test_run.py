"""A run from plan to files, with solvers that replay prepared frames."""

import signal

import numpy as np
import pytest

from nablax.backends import estimates
from nablax.backends.breakdown import breakdown_diagnostic
from nablax.backends.frames import Breakdown, NumericalFailure, Progress
from nablax.backends.output import store
from nablax.backends.output.paths import OutputError
from nablax.backends.run import Target, prepare, run, uninterrupted
from nablax.frontend.diagnostics import Report, Severity, SpecError
from nablax.frontend.render import render
from nablax.outlining import outline_of


class Watch:
    def __init__(self):
        self.events = []

    def saw(self, event):
        self.events.append(event)


def go(plan, solver, folder, **target):
    report = Report(plan.system.problem.source)
    watch = Watch()
    prepared = prepare(plan, Target(folder, folder, "out", **target), report)
    return run(prepared, solver, watch), watch


def test_a_run_to_the_end(tmp_path, ring, frames_of, exact, replay):
    plan = ring("u ≈ sin(x)*exp(-nu*t); always max(u) <= 1")
    frames = frames_of(plan, exact)
    events = [frames[0], Progress(0.1, 3), *frames[1:]]
    outcome, watch = go(plan, replay(events, {"nu": np.float64(0.5)}), tmp_path)
    assert (outcome.status, outcome.met, outcome.frames, outcome.steps, outcome.t) == (
        "done",
        True,
        5,
        4,
        1.0,
    )
    assert outcome.data == tmp_path / "out.zarr"
    assert outcome.pictures == (tmp_path / "out.png",)
    assert outcome.diagnostics == ()
    assert watch.events == events
    with store.open_run(outcome.data) as data:
        assert (data.attrs["complete"], data.sizes["t"]) == (1, 5)


def test_a_missed_expectation(tmp_path, ring, frames_of, exact, replay):
    plan = ring("max(u) <= 0.1")
    outcome, _ = go(plan, replay(frames_of(plan, exact), {"nu": 0.5}), tmp_path, plot=False)
    assert (outcome.status, outcome.met, outcome.pictures) == ("done", False, ())


def breakdown(kind="infinite", dt=0.1):
    return Breakdown(kind, 0.6, "u", {"x": 1.5}, 0.55, 1e8, dt)


def test_a_breakdown_keeps_the_frames(tmp_path, ring, frames_of, exact, replay):
    plan = ring()
    events = [*frames_of(plan, exact)[:3], NumericalFailure(breakdown())]
    outcome, _ = go(plan, replay(events, {"nu": 0.5}), tmp_path)
    assert (outcome.status, outcome.frames, outcome.verdicts) == ("broken", 3, ())
    (only,) = outcome.diagnostics
    assert (only.code, only.severity) == ("R701", Severity.ERROR)
    assert outcome.data is not None
    with store.open_run(outcome.data) as data:
        assert (data.attrs["complete"], data.sizes["t"]) == (0, 3)
        assert np.isfinite(data["u"].values).all()


def test_a_breakdown_before_the_first_frame(tmp_path, ring, replay):
    outcome, _ = go(ring(), replay([NumericalFailure(breakdown())], {}), tmp_path)
    assert (outcome.status, outcome.data, outcome.pictures) == ("broken", None, ())
    assert not list(tmp_path.iterdir())


def test_what_a_breakdown_says(plan_of):
    plan = plan_of(
        """
        space { x in [0, 2*pi] periodic }
        time { t in [0, 1] }
        fields { u }
        params { nu = 0.5 }
        equations { dt(u) + u*dx(u) = nu*dxx(u) }
        initial { u = sin(x) }
        solve { n = 64; step = rk4; dt = 0.1 }
        """
    )
    diagnostic = breakdown_diagnostic(outline_of(plan), breakdown())
    text = render(plan.system.problem.source, diagnostic)
    assert "`u` became infinite at t = 0.6, x = 1.5" in text
    assert "the last finite maximum of |u| was 1e+08, at t = 0.55" in text
    assert "dt(u) + u*dx(u) = nu*dxx(u)" in plan.system.problem.source.slice(diagnostic.span)
    assert plan.stepping.bound is not None
    assert "the stable step is about" in text
    assert "set `dt = " in diagnostic.help
    stuck = breakdown_diagnostic(outline_of(plan), breakdown("step"))
    assert (stuck.code, "shrank to nothing" in stuck.message) == ("R702", True)


ILL_POSED = """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) + dx(u) = -dxx(u) }
initial { u = sin(2*pi*x) }
solve { SOLVE }
"""


@pytest.mark.parametrize("solve", ["method = fd", "step = euler; method = fd; dt = 0.01"])
def test_a_breakdown_of_an_ill_posed_problem_names_no_stable_step(plan_of, solve):
    plan = plan_of(ILL_POSED.replace("SOLVE", solve))
    assert plan.stepping.bound is None
    text = render(plan.system.problem.source, breakdown_diagnostic(outline_of(plan), breakdown("step")))
    assert "stable step" not in text
    assert "short waves grow without bound by this term" in text
    assert "no step and no grid mends such growth" in text


def test_an_interrupt_keeps_the_frames(tmp_path, ring, frames_of, exact, replay):
    plan = ring()
    events = [*frames_of(plan, exact)[:2], KeyboardInterrupt()]
    outcome, _ = go(plan, replay(events, {"nu": 0.5}), tmp_path)
    assert (outcome.status, outcome.frames, outcome.pictures) == ("interrupted", 2, ())
    assert outcome.data is not None
    with store.open_run(outcome.data) as data:
        assert (data.attrs["complete"], data.sizes["t"]) == (0, 2)


def test_an_interrupt_waits_for_the_frame():
    # A process started in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _interrupted_work()
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted_work():
    done = []

    def work():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_unresolved_result_is_a_warning(tmp_path, ring, frames_of, replay):
    plan = ring("max(u) <= 2")
    frames = frames_of(plan, lambda t, x: {"u": np.sign(np.sin(x))})
    outcome, _ = go(plan, replay(frames, {"nu": 0.5}), tmp_path, plot=False)
    (only,) = outcome.diagnostics
    assert (only.code, only.severity) == ("R710", Severity.WARNING)
    assert plan.system.problem.source.slice(only.span) == "n = 32"


def test_where_a_run_goes(tmp_path, ring, frames_of, exact, replay):
    (tmp_path / "spec").mkdir()
    plan = ring(output='save = "data/run.nc"')
    report = Report(plan.system.problem.source)
    here = Target(tmp_path / "spec", tmp_path, "out")
    assert prepare(plan, here, report).path == tmp_path / "spec" / "data" / "run.nc"
    there = Target(tmp_path / "spec", tmp_path, "out", data=tmp_path / "there.zarr")
    assert prepare(plan, there, report).path == tmp_path / "there.zarr"
    assert prepare(ring(), here, report).path == tmp_path / "out.zarr"


def test_a_strangers_file_where_the_spec_saves(tmp_path, ring):
    (tmp_path / "run.nc").write_text("precious")
    plan = ring(output='save = "run.nc"')
    with pytest.raises(SpecError) as caught:
        prepare(plan, Target(tmp_path, tmp_path, "out"), Report(plan.system.problem.source))
    assert [d.code for d in caught.value.diagnostics] == ["P552"]


def test_a_strangers_file_where_the_command_line_saves(tmp_path, ring):
    (tmp_path / "out.zarr").write_text("precious")
    plan = ring()
    with pytest.raises(OutputError, match="not written by nablax"):
        prepare(plan, Target(tmp_path, tmp_path, "out"), Report(plan.system.problem.source))


def test_a_strangers_picture_stays(tmp_path, ring, frames_of, exact, replay):
    (tmp_path / "out.png").write_text("precious")
    plan = ring()
    outcome, _ = go(plan, replay(frames_of(plan, exact), {"nu": 0.5}), tmp_path)
    assert [d.code for d in outcome.diagnostics] == ["P553"]
    assert (tmp_path / "out.png").read_text() == "precious"


def test_movie_of_the_spec(tmp_path, ring, frames_of, exact, replay, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    plan = ring(output='movie = "u.mp4"')
    outcome, _ = go(plan, replay(frames_of(plan, exact), {"nu": 0.5}), tmp_path)
    assert outcome.pictures == (tmp_path / "out.png", tmp_path / "u.gif")


def big(n):
    return f"""
    space {{ x in [0, 1] periodic; y in [0, 1] periodic; z in [0, 1] periodic }}
    time {{ t in [0, 1] }}
    fields {{ u }}
    equations {{ dt(u) = Δu }}
    initial {{ u = sin(2*pi*x) }}
    solve {{ n = [{n}, {n}, {n}]; step = rk4; dt = 1e-5 }}
    """


@pytest.mark.parametrize(
    ("memory", "disk", "codes"),
    [(1e6, 1e18, {"P450"}), (1e18, 1e3, {"P451"}), (1e18, 1e18, set())],
)
def test_needs_beyond_the_machine(tmp_path, plan_of, monkeypatch, memory, disk, codes):
    monkeypatch.setattr(estimates, "machine_memory", lambda: memory)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": disk, "total": 1e18}))
    plan = plan_of(big(32))
    report = Report(plan.system.problem.source)
    estimates.check_estimate(plan, tmp_path, report)
    assert {d.code for d in report.diagnostics if d.severity is Severity.ERROR} == codes


def test_long_runs_are_announced(tmp_path, plan_of, monkeypatch):
    monkeypatch.setattr(estimates, "machine_memory", lambda: None)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1e18, "total": 1e18}))
    plan = plan_of(big(256))
    report = Report(plan.system.problem.source)
    estimates.check_estimate(plan, tmp_path, report)
    assert [(d.code, d.severity) for d in report.diagnostics] == [("P452", Severity.WARNING)]


def test_memory_of_this_machine():
    memory = estimates.machine_memory()
    assert memory is None or memory > 1e8


def test_full_disk(tmp_path, ring, frames_of, exact, replay, monkeypatch):
    def refuse(self, frames):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._ZarrSink, "extend", refuse)
    plan = ring()
    with pytest.raises(OutputError, match="no space left on device"):
        go(plan, replay(frames_of(plan, exact), {"nu": 0.5}), tmp_path)
