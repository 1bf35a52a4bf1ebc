"""The choice among lowerings: measured once, kept for this user, measured again when it cannot be read."""

import json
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest

import nablax
from nablax.backends import tuning
from nablax.backends.tuning import tuned

SPEC = """
space { x in [0, 1] periodic }
time { t in [0, 1] }
fields { u }
equations { dt(u) = 0.01*dxx(u) }
initial { u = sin(2*pi*x) }
solve { n = 64; method = fd; order = 2; step = euler; dt = 1/1000; tune = on }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tuning, "SECONDS", 1e-4)
    return tmp_path / "nablax"


def runs(fast: int, called: list[int]) -> dict[int, Callable[[int], object]]:
    """Of three lowerings one is fast."""

    def run(steps: int) -> Callable[[int], object]:
        def program(count: int) -> None:
            called.append(steps)
            sleep(1e-4 if steps == fast else 3e-3)

        return program

    return {steps: run(steps) for steps in (1, 4, 8)}


def test_the_fastest_is_kept_and_not_measured_again(folder: Path) -> None:
    called: list[int] = []
    assert tuned("kernel", "euler", runs(4, called)) == 4
    assert set(called) == {1, 4, 8}
    called.clear()
    assert tuned("kernel", "euler", runs(8, called)) == 4
    assert not called
    assert tuned("another kernel", "euler", runs(8, called)) == 8
    assert tuned("kernel", "rk2", runs(8, called)) == 8
    kept = [json.loads(file.read_text()) for file in folder.glob("lowering-*.json")]
    assert sorted(k["steps"] for k in kept) == [4, 8, 8]
    assert all(set(k["seconds"]) == {"1", "4", "8"} for k in kept)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "[]", "null", '{"steps": 3}', '{"steps": true}', '{"steps": "4"}', "\xff"],
)
def test_what_cannot_be_read_is_measured_again(folder: Path, text: str) -> None:
    called: list[int] = []
    tuned("kernel", "euler", runs(4, called))
    (file,) = folder.glob("lowering-*.json")
    file.write_bytes(text.encode("latin-1"))
    called.clear()
    assert tuned("kernel", "euler", runs(8, called)) == 8
    assert called
    assert json.loads(file.read_text())["steps"] == 8


def test_without_a_folder_it_is_measured_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(occupied))
    called: list[int] = []
    assert tuned("kernel", "euler", runs(4, called)) == 4
    called.clear()
    assert tuned("kernel", "euler", runs(8, called)) == 8


def test_a_spec_asks_for_it_and_the_solver_takes_the_choice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "BUNDLES", (1, 2))
    monkeypatch.setattr("nablax.backends.solver.BUNDLES", (1, 2))
    problem = nablax.parse(SPEC)
    assert "timed once on each device" in problem.show()
    made = problem.compile()
    (file,) = folder.glob("lowering-*.json")
    for steps in (1, 2):
        file.write_text(json.dumps({"steps": steps}))
        made = problem.compile()
        bundle = made.programs.bundle
        assert (1 if bundle is None else bundle.steps) == steps
    assert problem.compile(tune=False).programs.bundle is None
    assert (
        "one way"
        in nablax.parse(SPEC.replace("method = fd; order = 2; step = euler", "step = etdrk4")).show()
    )


def test_show_tells_what_was_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nablax.cli.main import main

    spec = tmp_path / "a.pde"
    spec.write_text(SPEC, "utf-8")
    assert main(["show", str(spec)]) == 0
    kept = nablax.parse(SPEC).compile().programs.bundle
    wanted = "at every step" if kept is None else f"once for {kept.steps} steps"
    assert f"Tuned on this device\n  ghosts attached {wanted}" in capsys.readouterr().out
