"""What a terminal shows while a run goes on, and that nothing else sees it."""

import sys
from io import StringIO

import pytest

from nablax.backends.frames import Progress
from nablax.cli.progress import watching
from nablax.frontend.source import read_source
from nablax.outlining import outline_of
from nablax.pipeline import compile_plan


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture
def plan(heat):
    return compile_plan(read_source("heat.pde", heat.read_text("utf-8")))[0]


def test_terminal(plan, frames, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with watching(outline_of(plan), silent=False) as watcher:
        from rich.console import Console

        def shown():
            console = Console(file=StringIO(), width=120)
            console.print(watcher.render())
            return console.file.getvalue()

        assert "compiling" in shown()
        for event in (*frames(count=2), Progress(0.4, 12)):
            watcher.saw(event)
        text = shown()
        assert "t = 0.4 of 1" in text
        assert "12 steps" in text
        assert "max |u| 0.8825" in text
        watcher.saw(frames()[-1])
        assert "drawing" in shown()


@pytest.mark.parametrize("silent", [True, False])
def test_no_terminal(plan, frames, capsys, silent):
    with watching(outline_of(plan), silent) as watcher:
        for event in frames():
            watcher.saw(event)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
