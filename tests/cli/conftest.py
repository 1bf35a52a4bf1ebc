"""The command line called in process, with specs in a folder of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from nablax.backends.frames import Frame, Progress
from nablax.cli.main import main

HEAT = """\
pde 1
"Heat on a ring"

space { x in [0, 2*pi] periodic }
time { t in [0, 1] }
fields { u }
params { nu = 0.5 }

equations { dt(u) = nu*dxx(u) }
initial { u = sin(x) }

solve { n = 32 }
output { every = 0.25 }
expect { u ≈ sin(x)*exp(-nu*t) }
"""


@dataclass(frozen=True)
class Answer:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def heat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`heat.pde` in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "heat.pde"
    path.write_text(HEAT, "utf-8")
    return path


@pytest.fixture
def nablax(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call the command line in this process."""

    def call(*arguments: str) -> Answer:
        code = main(arguments)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def child() -> Callable[..., Answer]:
    """Call the command line in a process of its own."""

    def call(*arguments: str, text: str = "", cwd: Path | None = None, **variables: str) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "nablax.cli.main", *arguments],
            input=text.encode(),
            capture_output=True,
            cwd=cwd,
            env={**os.environ, **variables},
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@dataclass(frozen=True)
class Replay:
    """A solver that yields prepared events, and raises those that are exceptions."""

    events: tuple[Frame | Progress | BaseException, ...]
    parameters: Mapping[str, float] = field(default_factory=lambda: {"nu": 0.5})

    def stream(self) -> Iterator[Frame | Progress]:
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            yield event


def decay(amplitude: float = 1.0, count: int = 5) -> tuple[Frame, ...]:
    """Frames of the exact solution of `HEAT`, times an amplitude."""
    x = 2 * np.pi * np.arange(32) / 32
    times = np.linspace(0, 1, 5)[:count]
    return tuple(
        Frame(i, float(t), {"u": amplitude * np.sin(x) * np.exp(-0.5 * t)}, int(i > 0), 0, 0.25)
        for i, t in enumerate(times)
    )


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have runs replay these events instead of solving."""

    def use(*events: Frame | Progress | BaseException) -> None:
        monkeypatch.setattr("nablax.cli.run.build_solver", lambda plan, report: Replay(events))

    return use


@pytest.fixture
def frames() -> Callable[..., tuple[Frame, ...]]:
    return decay
